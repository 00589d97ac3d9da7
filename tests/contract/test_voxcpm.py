"""The platform with VoxCPM, from outside: what it answers is what the official package makes.

The models are tiny and random, in the true file format; everything else is as people run it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import psutil
import pytest
import soundfile

from tests.engine.voxcpm.conftest import one_thread  # noqa: F401  # pytest finds it here
from tests.live import LiveServer

TEXT = "Hello there, my friend."
PATCHES = 12
RATES = {"voxcpm": 16_000, "voxcpm1.5": 44_100, "voxcpm2": 48_000}
NAMES = {"voxcpm": "voxcpm-0.5b", "voxcpm1.5": "voxcpm1.5", "voxcpm2": "voxcpm2"}
SMALL = {"ENGINE_THREADS": "1", "ENGINE_SLOTS": "4", "ENGINE_MAX_LENGTH": "512"}
REFUSED = {
    "ENGINE_VAE_PRECISION": "tf32"
}  # not beside a model in float32: it says so, and is exact
# What random weights say is no speech, which a built-in voice would have to be.
ANY_SOUND = {"VOICE_CHECKS": "report"}

# Three libraries load in every process of these tests, on machines of two cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(
    scope="module",
    params=[
        "voxcpm",
        "voxcpm1.5",
        "voxcpm2",
    ],
)
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def checkpoint(architecture, tiny):
    return tiny(architecture)


@pytest.fixture(scope="module")
def server(data_dir, checkpoint):
    environment = {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(checkpoint), **SMALL}
    environment |= REFUSED | ANY_SOUND
    with LiveServer(data_dir, environment) as server:
        yield server


@pytest.fixture(scope="module")
def stock(checkpoint):
    from tests.engine.voxcpm.stock import load_stock

    return load_stock(checkpoint)


@pytest.fixture
def speak(server, live_key, architecture):
    with server.http(live_key) as http:

        def speak(text=TEXT, **fields):
            body = {
                "model": NAMES[architecture],
                "input": text,
                "voice": "default",
                "response_format": "wav",
                "sample_rate": RATES[architecture],
                "max_new_tokens": PATCHES,
                **fields,
            }
            return http.post("/v1/audio/speech", json=body)

        yield speak


def samples(answer):
    assert answer.status_code == 200, answer.text
    audio, rate = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    return audio, rate


def row(data_dir, seconds=5):
    query = "SELECT outcome, finish_reason, seed, model_used FROM speech_usagerecord"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
            last = database.execute(f"{query} ORDER BY id DESC LIMIT 1").fetchone()
        database.close()
        if last[0] != "open":
            return last
        time.sleep(0.02)
    raise AssertionError(last)


@pytest.mark.parametrize("fields", [{}, {"normalize": False}, {"inference_timesteps": 4}])
def test_its_wav_is_the_official_package_s_own(speak, stock, architecture, fields):
    from tests.engine.voxcpm.stock import generate

    audio, rate = samples(speak(seed=5, **fields))
    steps = fields.get("inference_timesteps", 10)
    theirs = generate(stock, TEXT, 5, max_len=PATCHES, inference_timesteps=steps)
    rounded = np.clip(np.round(theirs * 32_767), -32_768, 32_767)
    assert rate == RATES[architecture]
    assert audio.shape == rounded.shape
    assert np.abs(audio - rounded).max() <= 1


@pytest.mark.parametrize("path", ["/readyz", "/health", "/api/engine"])
def test_programs_are_told_what_runs_otherwise_than_was_asked_for(server, live_key, path):
    assert "AudioVAE runs in float32" in server.get(path, live_key).json()["notice"]


def test_the_log_and_visitors_are_told_it_too(server):
    assert "AudioVAE runs in float32" in server.log
    assert "AudioVAE runs in float32" in server.get("/").text


def test_a_drawn_seed_is_told_and_repeats_the_take(speak, data_dir, architecture):
    answer = speak()
    seed = int(answer.headers["x-seed"])
    assert row(data_dir) == ("completed", "length", seed, NAMES[architecture])
    again = speak(seed=seed)
    assert np.abs(samples(answer)[0].astype(int) - samples(again)[0]).max() <= 1


def test_many_at_once_hear_what_each_hears_alone(speak):
    alone = [samples(speak(seed=seed))[0].astype(int) for seed in range(4)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: samples(speak(seed=seed % 4))[0], range(8)))
    for seed, audio in enumerate(together):
        assert np.abs(audio - alone[seed % 4]).max() <= 1


def test_a_built_in_voice_speaks(speak):
    voices = {}
    for voice in ("alloy", "onyx"):
        answer = speak(voice=voice)
        voices[voice] = samples(answer)[0]
        again = samples(speak(voice=voice, seed=int(answer.headers["x-seed"])))[0]
        assert np.abs(voices[voice].astype(int) - again).max() <= 1
    assert not np.array_equal(voices["alloy"], voices["onyx"])


def test_a_long_text_is_spoken_piece_by_piece_as_one_take(speak, data_dir):
    text = "This is the first sentence. " + "And here is another one of them. " * 12
    audio, rate = samples(speak(text, seed=3))
    assert len(audio) / rate >= 3 * PATCHES * 0.08
    assert row(data_dir)[0] == "completed"


def test_text_in_parentheses_is_spoken_and_not_obeyed(speak):
    spoken = samples(speak("(angry) Hello there.", seed=1))[0]
    plain = samples(speak("angry, Hello there.", seed=1, normalize=False))[0]
    # Built-in voices may be made beside one of them: to rounding, it is the same take.
    assert np.allclose(spoken, plain, atol=2)


def test_a_text_that_does_not_fit_is_refused_by_name(speak, architecture):
    answer = speak(instructions="calm " * 700)
    if architecture == "voxcpm2":
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")
    else:
        assert answer.status_code == 200
        assert "instructions" in answer.headers["warning"]


def eventually(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)


def engine_pid(server):
    children = psutil.Process(server.process.pid).children()
    return next(one.pid for one in children if "speech.engine.hosts.child" in one.cmdline())


def test_an_engine_that_is_killed_is_answered_for_and_comes_back_the_same(
    server, speak, architecture
):
    if architecture != "voxcpm2":
        pytest.skip("one architecture is enough for a death")
    before = samples(speak(seed=5))[0]
    with ThreadPoolExecutor(1) as pool:
        doomed = pool.submit(lambda: _outcome(speak, "It will not end. " * 10))
        eventually(lambda: server.get("/health").json()["engine"]["running"] > 0, 10)
        began = time.monotonic()
        os.kill(engine_pid(server), signal.SIGKILL)
        assert doomed.result() in (500, 503, None)
        assert time.monotonic() - began < 5
    eventually(lambda: server.get("/readyz").status_code == 200)
    assert np.array_equal(samples(speak(seed=5))[0], before)


def _outcome(speak, text):
    try:
        return speak(text, max_new_tokens=200).status_code
    except httpx.TransportError:
        return None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: (path / "config.json").write_text("{"), "config.json is damaged"),
        (lambda path: _truncate(path / "pytorch_model.bin"), "pytorch_model.bin is truncated"),
        (lambda path: shutil.rmtree(path), "not on this machine"),
    ],
)
def test_with_a_bad_checkpoint_it_stays_up_and_says_why_it_is_not_ready(
    tmp_path, data_dir, live_key, damage, reason
):
    from tests.engine.voxcpm.files import write_checkpoint

    checkpoint = write_checkpoint(tmp_path / "checkpoint", "voxcpm-0.5b")
    damage(checkpoint)
    environment = {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(checkpoint), **SMALL}
    with LiveServer(data_dir, environment, ready_status=503) as server:
        eventually(lambda: reason in server.get("/readyz").text, 20)
        assert str(tmp_path) not in server.get("/readyz").text
        assert server.get("/livez").status_code == 200
        body = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}
        with server.http(live_key) as http:
            answer = http.post("/v1/audio/speech", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
        assert str(tmp_path) not in answer.text
        assert str(checkpoint) in server.log


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def test_its_events_say_which_sentence_is_spoken(server, live_key):
    first, second = (
        f"Number {word} of two sentences, long enough to stand alone, stands here."
        for word in ("one", "two")
    )
    body = {
        "input": f"{first} {second}",
        "voice": "default",
        "max_new_tokens": PATCHES,
        "response_format": "pcm",
        "stream_format": "sse",
    }
    with server.http(live_key) as http:
        lines = http.post("/api/speech", json=body).text.splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    marks = [event for event in events if event["type"] == "speech.mark"]
    said = [body["input"][mark["offset"] : mark["offset"] + mark["length"]] for mark in marks]
    assert " ".join(said) == body["input"]
    assert len(said) > 1
    assert events[0] == marks[0]
    assert marks[0]["time"] == 0 < marks[1]["time"]
