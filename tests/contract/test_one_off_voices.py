"""A recording that comes with a speech request speaks this once and is not kept; consent is asked
for as for a voice that is. The engine is a tone that every voice gives its register."""

from __future__ import annotations

import base64
import sqlite3
import time
from contextlib import closing

import httpx
import pytest

from tests.contract.test_voices import WORD
from tests.voices.recordings import WORDS, clip, spoken, wav


def data_url(data, kind="audio/wav"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


CLIP = data_url(clip("mp3"), "audio/mpeg")


@pytest.fixture(scope="module")
def http(voice_server, keys):
    with voice_server.http(keys["good"]) as http:
        yield http


def speak(http, path="/v1/audio/speech", **fields):
    body = {"model": "tts-1", "input": "Good evening.", "response_format": "pcm", "seed": 1}
    return http.post(path, json=body | {"ref_audio": CLIP, "consent": WORD} | fields)


def refused(answer):
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"]


def stored(data_dir):
    """What is kept of people: the built-in voices, which may be made just now, are nobody's."""
    with closing(sqlite3.connect(f"file:{data_dir}/voxplatform.sqlite3?mode=ro", uri=True)) as rows:
        made = (
            "SELECT object_key FROM voices_builtintake UNION SELECT key FROM voices_unclaimedobject"
        )
        nobodys = {data_dir / "media" / key for (key,) in rows.execute(made)}
        return set((data_dir / "media").rglob("*.wav")) - nobodys


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/api/speech"])
def test_a_recording_lends_its_voice_once_and_nothing_is_kept(http, data_dir, path):
    before, voices = stored(data_dir), http.get("/api/voices").json()
    answer = speak(http, path)
    assert answer.status_code == 200, answer.text
    other = speak(http, path, ref_audio=data_url(wav(spoken())), ref_text=WORDS)
    assert other.status_code == 200, other.text
    assert len(other.content) == len(answer.content) > 1000
    deadline = time.monotonic() + 10
    while stored(data_dir) != before:  # one may have been kept between two looks
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert http.get("/api/voices").json() == voices


def test_the_sdk_sends_it_beside_a_voice_that_it_needs_to_name(voice_server, keys):
    client = voice_server.openai(keys["good"])
    said = client.audio.speech.with_raw_response.create(
        model="tts-1", voice="alloy", input="Good evening.",
        extra_body={"ref_audio": CLIP, "consent": WORD},
    )  # fmt: skip
    assert said.content
    assert "voice is not used beside ref_audio" in said.headers["warning"]


@pytest.mark.parametrize(
    "ref_audio",
    [
        "https://example.com/voice.wav",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "data:audio/wav,plain",
        "data:audio/wav;base64,!!!!",
        "data:" + "a" * 100_000,
        base64.b64encode(b"x" * 100).decode(),
        5,
        ["data:audio/wav;base64,AAAA"],
    ],
)
def test_nothing_is_fetched_and_nothing_else_taken(http, ref_audio):
    assert refused(speak(http, ref_audio=ref_audio)) == (400, "invalid_value", "ref_audio")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ref_audio": data_url(b"no audio at all".ljust(80))},
         (400, "unsupported_container", "ref_audio")),
        ({"ref_audio": data_url(wav(spoken()[:3000])), "ref_text": "Yes."},
         (400, "transcript_mismatch", "ref_text")),
        ({"ref_audio": None, "ref_text": WORDS}, (400, "invalid_value", "ref_text")),
        ({"consent": None}, (403, "consent_required", "consent")),
        ({"consent": "yes"}, (400, "invalid_value", "consent")),
        ({"consent": "cons_" + "0" * 24}, (404, "not_found", None)),
    ],
)  # fmt: skip
def test_what_is_refused_of_an_upload_is_refused_here(http, changes, expected):
    assert refused(speak(http, **changes)) == expected


def test_it_takes_the_right_to_have_voices(voice_server, keys):
    for key, status in (("without voices", 401), ("one voice", 403)):
        with voice_server.http(keys[key]) as http:
            assert speak(http).status_code == status


@pytest.mark.slow
def test_withdrawing_its_consent_stops_it(http, server, keys):
    made = http.post(
        "/api/voices", data={"name": "Gives", "consent": WORD}, files={"audio_sample": clip("wav")}
    ).json()
    body = {
        "model": "tts-1", "input": "On and on. " * 350, "response_format": "pcm", "speed": 0.25,
        "ref_audio": CLIP, "consent": made["consent"],
    }  # fmt: skip
    try:
        with (
            pytest.raises(httpx.TransportError),
            http.stream("POST", "/v1/audio/speech", json=body, timeout=30) as speech,
        ):
            pieces = speech.iter_raw(4096)
            assert next(pieces)
            http.delete(f"/v1/audio/voice_consents/{made['consent']}")
            withdrawn = time.monotonic()
            for _ in pieces:
                time.sleep(0.02)  # as somebody who listens
                assert time.monotonic() < withdrawn + 10
        assert refused(speak(http, consent=made["consent"]))[0] in (403, 404)
    finally:
        http.delete(f"/api/voices/{made['id']}")
