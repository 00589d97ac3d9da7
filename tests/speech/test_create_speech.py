"""POST /v1/audio/speech against a live server."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest

FORMATS = ["aac", "flac", "mp3", "opus", "pcm", "wav"]
TYPES = {
    "aac": "audio/aac",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "pcm": "audio/pcm",
    "wav": "audio/wav",
}
TEXT = "Good evening, everybody."


def speak(server, key, path="/v1/audio/speech", **fields):
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "wav", **fields}
    with server.http(key) as http:
        return http.post(path, json=body)


def decoded(content: bytes) -> tuple[np.ndarray, int]:
    with av.open(io.BytesIO(content)) as container:
        frames = [frame.to_ndarray().astype(np.float64) for frame in container.decode(audio=0)]
        return np.concatenate([frame.reshape(-1) for frame in frames]), (
            container.streams.audio[0].rate
        )


@pytest.mark.parametrize("response_format", FORMATS)
def test_it_speaks_in_every_format(server, live_key, response_format):
    answer = speak(server, live_key, response_format=response_format)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == TYPES[response_format]
    if response_format == "pcm":
        samples, rate = np.frombuffer(answer.content, "<i2"), 24_000
    else:
        samples, rate = decoded(answer.content)
    assert 1.0 < len(samples) / rate < 3.0
    assert np.abs(samples).max() > 0.05 * (32_768 if samples.dtype == np.int16 else 1)


def test_it_answers_mp3_when_no_format_is_named(server, live_key):
    with server.http(live_key) as http:
        body = {"model": "tts-1", "voice": "alloy", "input": TEXT}
        answer = http.post("/v1/audio/speech", json=body)
    assert answer.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize(
    "path", ["/v1/audio/speech", "/v1/audio/speech/", "/audio/speech", "/audio/speech/"]
)
def test_it_answers_under_every_form_of_its_url_without_a_redirect(server, live_key, path):
    assert speak(server, live_key, path).status_code == 200


def test_the_wav_header_comes_with_the_first_audio_and_says_the_length_is_unknown(server, live_key):
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "wav"}
    with server.http(live_key) as http, http.stream("POST", "/v1/audio/speech", json=body) as got:
        first = next(got.iter_raw())
    assert len(first) > 44
    assert struct.unpack("<4sI4s", first[:12]) == (b"RIFF", 0xFFFFFFFF, b"WAVE")
    assert struct.unpack("<4sI", first[36:44]) == (b"data", 0xFFFFFFFF)


def test_it_says_what_spoke_and_with_which_seed(server, live_key):
    answer = speak(server, live_key)
    assert answer.headers["x-model"] == answer.headers["x-engine"] == "tone"
    again = speak(server, live_key, seed=int(answer.headers["x-seed"]))
    assert again.headers["x-seed"] == answer.headers["x-seed"]
    assert again.content == answer.content


def test_a_text_of_several_utterances_is_one_take_with_one_seed(server, live_key):
    text = "First comes this sentence. " * 30
    answer = speak(server, live_key, input=text)
    again = speak(server, live_key, input=text, seed=int(answer.headers["x-seed"]))
    assert again.content == answer.content


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_speed_changes_the_length_and_nothing_else_is_lost(server, live_key, speed):
    plain = len(speak(server, live_key, response_format="pcm", seed=1).content)
    paced = len(speak(server, live_key, response_format="pcm", seed=1, speed=speed).content)
    assert paced == pytest.approx(plain / speed, rel=0.02)


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
def test_a_sample_rate_is_honoured_where_the_format_carries_one(server, live_key, rate):
    _, stated = decoded(speak(server, live_key, sample_rate=rate).content)
    assert stated == rate


@pytest.mark.parametrize(
    "voice", [None, "", "default", "shimmer", {"id": "shimmer"}], ids=lambda voice: repr(voice)
)
def test_it_takes_a_voice_in_every_form_clients_send(server, live_key, voice):
    assert speak(server, live_key, voice=voice).status_code == 200


def test_unknown_fields_are_ignored_and_named(server, live_key):
    answer = speak(server, live_key, backend="x", lang_code="a")
    assert answer.status_code == 200
    assert "backend" in answer.headers["warning"]
    assert "lang_code" in answer.headers["warning"]


def test_a_strange_field_name_cannot_break_the_header(server, live_key):
    answer = speak(server, live_key, **{"x\r\nset-cookie: a=b": 1, "é" * 500: 2})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_instructions_for_a_model_without_them_are_named_as_unused(server, live_key):
    assert "instructions" in speak(server, live_key, instructions="softly").headers["warning"]
    spoken = speak(server, live_key, instructions="softly", model="gpt-4o-mini-tts")
    assert "warning" not in spoken.headers


def test_the_instruction_none_is_no_instruction(server, live_key):
    assert "warning" not in speak(server, live_key, instructions="None").headers


@pytest.mark.parametrize("text", [".", "…", "?!", "---"])
def test_signs_with_nothing_to_say_are_a_short_silence(server, live_key, text):
    answer = speak(server, live_key, input=text, response_format="pcm")
    assert answer.status_code == 200
    assert answer.content == bytes(int(0.2 * 24_000) * 2)


def test_answers_forbid_buffering_and_storing(server, live_key):
    answer = speak(server, live_key)
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store"


def test_an_id_that_is_sent_comes_back_and_a_strange_one_is_replaced(server, live_key):
    with server.http(live_key) as http:
        known = http.get("/v1/models", headers={"x-request-id": "my-id.1"})
        strange = http.get("/v1/models", headers={"x-request-id": "x" * 10_000})
    assert known.headers["x-request-id"] == "my-id.1"
    assert strange.headers["x-request-id"].startswith("req_")
