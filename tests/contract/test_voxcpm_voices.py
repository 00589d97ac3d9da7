"""Voices that people own, spoken with by VoxCPM: equal to the official package given the recording
that is stored, and silent within ten seconds of a consent that is withdrawn.

The models are tiny and random, in the true file format; everything else is as people run it.
"""

from __future__ import annotations

import io
import time
import zipfile

import httpx
import numpy as np
import openai
import pytest
import soundfile

from tests.contract.test_voices import WORD
from tests.contract.test_voxcpm import NAMES, PATCHES, RATES, SMALL, TEXT, samples
from tests.live import LiveServer
from tests.voices.recordings import WORDS, clip, spoken, wav

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["voxcpm1.5", "voxcpm2"])
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def checkpoint(architecture, tiny):
    return tiny(architecture)


@pytest.fixture(scope="module")
def server(data_dir, checkpoint):
    environment = {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(checkpoint), **SMALL}
    with LiveServer(data_dir, environment) as server:
        yield server


@pytest.fixture(scope="module")
def client(server, live_key):
    return server.openai(live_key)


@pytest.fixture(scope="module")
def http(server, live_key):
    with server.http(live_key) as http:
        yield http


@pytest.fixture
def make(http):
    made = []

    def make(name="Reader", **fields):
        answer = http.post(
            "/api/voices",
            data={"name": name, "consent": WORD, **fields},
            files={"audio_sample": wav(spoken())},
        )
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
        return answer.json()["id"]

    yield make
    for voice_id in made:
        http.delete(f"/api/voices/{voice_id}")


@pytest.fixture
def speak(http, architecture):
    def speak(voice, text=TEXT, **fields):
        body = {
            "model": NAMES[architecture],
            "input": text,
            "voice": voice,
            "response_format": "wav",
            "sample_rate": RATES[architecture],
            "max_new_tokens": PATCHES,
            **fields,
        }
        return http.post("/v1/audio/speech", json=body)

    return speak


def stored(http, voice_id, folder):
    """The recording as the platform keeps it, in a file."""
    answer = http.get(f"/api/voices/{voice_id}/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        path = folder / "stored.wav"
        path.write_bytes(archive.read("version-1.wav"))
    return str(path)


def official(stock, **options):
    from tests.engine.voxcpm.stock import generate

    made = generate(stock, TEXT, 5, max_len=PATCHES, **options)
    return np.clip(np.round(made * 32_767), -32_768, 32_767)


@pytest.fixture(scope="module")
def stock(checkpoint):
    from tests.engine.voxcpm.stock import load_stock

    return load_stock(checkpoint)


def test_with_its_words_it_is_the_official_package_s_own_take(
    make, speak, http, stock, architecture, tmp_path
):
    voice_id = make(transcript=WORDS)
    path = stored(http, voice_id, tmp_path)
    options = {"prompt_wav_path": path, "prompt_text": WORDS}
    if architecture == "voxcpm2":
        options["reference_wav_path"] = path
    audio, _ = samples(speak(voice_id, seed=5))
    theirs = official(stock, **options)
    assert audio.shape == theirs.shape
    assert np.abs(audio - theirs).max() <= 2


def test_without_its_words_it_lends_its_timbre_where_the_model_can(
    make, speak, http, stock, architecture, tmp_path
):
    voice_id = make()
    answer = speak(voice_id, seed=5)
    if architecture != "voxcpm2":
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            400, "unsupported_by_model",
        )  # fmt: skip
        assert "voxcpm2" in answer.json()["error"]["message"]
        return
    audio, _ = samples(answer)
    theirs = official(stock, reference_wav_path=stored(http, voice_id, tmp_path))
    assert audio.shape == theirs.shape
    assert np.abs(audio - theirs).max() <= 2


def test_the_sdk_makes_a_voice_speaks_with_it_and_erases_it(client, architecture):
    voice = client.audio.voices.create(
        name="Browser", audio_sample=("x", clip("webm/opus")), consent=WORD,
        extra_body={"transcript": WORDS[:40]} if architecture != "voxcpm2" else {},
    )  # fmt: skip
    said = client.audio.speech.create(
        model=NAMES[architecture], input=TEXT, voice={"id": voice.id}, response_format="wav",
        extra_body={"max_new_tokens": PATCHES},
    )  # fmt: skip
    audio, _ = soundfile.read(io.BytesIO(said.content))
    assert len(audio)
    client.audio.voices.delete(voice.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.speech.create(model=NAMES[architecture], input=TEXT, voice=voice.id)
    assert refused.value.code == "unknown_voice"


def test_a_stream_stops_within_ten_seconds_of_its_consent(make, http, architecture):
    if architecture != "voxcpm2":
        pytest.skip("one architecture is enough for an end")
    voice_id = make()
    consent = http.get(f"/api/voices/{voice_id}").json()["consent"]
    body = {
        "model": "voxcpm2", "voice": voice_id, "input": "It goes on and on. " * 200,
        "response_format": "pcm",
    }  # fmt: skip
    with (
        pytest.raises(httpx.TransportError),
        http.stream("POST", "/v1/audio/speech", json=body, timeout=60) as speech,
    ):
        pieces = speech.iter_raw()
        assert next(pieces)
        http.delete(f"/v1/audio/voice_consents/{consent}")
        withdrawn = time.monotonic()
        for _ in pieces:
            assert time.monotonic() < withdrawn + 10
    assert time.monotonic() < withdrawn + 10
