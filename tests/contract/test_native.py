"""The native API: strict, with word marks, for keys and for browsers."""

from __future__ import annotations

import base64
import json
import sqlite3
import time

import httpx
import pytest

TEXT = "Good evening, dear listeners."
SPEECH = {"input": TEXT, "response_format": "pcm"}


@pytest.fixture
def http(server, live_key):
    with server.http(live_key) as http:
        yield http


def events_of(answer):
    assert answer.headers["content-type"] == "text/event-stream"
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def usage_row(data_dir, request_id):
    """The closed record of a synthesis, which is written beside its answer: wait a moment."""
    query = "SELECT user_id, key_id, face, outcome FROM speech_usagerecord WHERE request_id = ?"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
            row = database.execute(query, [request_id]).fetchone()
        database.close()
        if row and row[3] != "open":
            return row
        time.sleep(0.02)
    raise AssertionError(f"{request_id}: {row}")


# -- speech


def test_it_speaks_without_a_model_being_named(http):
    answer = http.post("/api/speech", json=SPEECH)
    assert answer.status_code == 200
    assert answer.headers["x-model"] == "tone"
    assert len(answer.content) == pytest.approx(len(TEXT) * 0.06 * 48_000, rel=0.05)


@pytest.mark.parametrize("field", ["voise", "backend", "stream", "response_fromat"])
def test_an_unknown_field_is_refused_by_name(http, field):
    answer = http.post("/api/speech", json={**SPEECH, field: 1})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == (field, "invalid_value")


def test_events_are_had_by_every_model_s_name(http):
    """OpenAI's own of this name know no events, and neither does it under ``/v1``."""
    asked = {**SPEECH, "model": "tts-1", "voice": "nova", "stream_format": "sse"}
    kinds = [
        http.post(path, json=asked).headers["content-type"]
        for path in ("/api/speech", "/v1/audio/speech")
    ]
    assert kinds == ["text/event-stream", "audio/pcm"]


def test_it_takes_every_control(http):
    controls = {
        "voice": "nova",
        "speed": 1.5,
        "instructions": "softly",
        "language": "en-GB",
        "seed": 7,
        "sample_rate": 16_000,
        "cfg_value": 3.0,
        "inference_timesteps": 12,
        "max_new_tokens": 500,
        "normalize": False,
    }
    answer = http.post("/api/speech", json={**SPEECH, **controls})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-seed"] == "7"
    assert "warning" not in answer.headers


def test_its_events_say_which_word_is_spoken_when(http):
    answer = http.post("/api/speech", json={**SPEECH, "stream_format": "sse"})
    events = events_of(answer)
    marks = [event for event in events if event["type"] == "speech.mark"]
    words = [TEXT[mark["offset"] : mark["offset"] + mark["length"]] for mark in marks]
    assert [word.strip(",.") for word in words] == ["Good", "evening", "dear", "listeners"]
    times = [mark["time"] for mark in marks]
    assert times == sorted(times)
    heard = 0.0
    for event in events:
        if event["type"] == "speech.audio.delta":
            heard += len(base64.b64decode(event["audio"])) / 48_000
        if event["type"] == "speech.mark":
            assert heard <= event["time"] + 0.001, "a mark comes before its audio"
    assert events[-1]["type"] == "speech.audio.done"


def test_marks_follow_the_speed(http):
    fields = {**SPEECH, "stream_format": "sse", "seed": 1}
    plain, fast = (
        [event["time"] for event in events_of(answer) if event["type"] == "speech.mark"]
        for answer in (
            http.post("/api/speech", json={**fields, "speed": speed}) for speed in (1, 2)
        )
    )
    assert fast == pytest.approx([at / 2 for at in plain], abs=0.002)


def test_openais_events_carry_no_marks(http):
    body = {"model": "gpt-4o-mini-tts", "input": TEXT, "stream_format": "sse"}
    kinds = {event["type"] for event in events_of(http.post("/v1/audio/speech", json=body))}
    assert kinds == {"speech.audio.delta", "speech.audio.done"}


def test_events_that_break_off_say_so_and_are_cut(http, faults):
    faults(raise_at=5)
    body, seen = {**SPEECH, "stream_format": "sse"}, b""
    speech = http.stream("POST", "/api/speech", json=body)
    with pytest.raises(httpx.TransportError), speech as answer:
        for piece in answer.iter_raw():
            seen += piece
    *_, last = seen.decode().strip().split("\n\n")
    name, data = last.splitlines()
    assert name == "event: error"
    error = json.loads(data.removeprefix("data: "))
    assert error["type"] == "error"
    assert error["error"]["code"] == "synthesis_failed"


# -- browsers


def test_a_browser_speaks_with_its_session_and_token(browse, data_dir):
    answer = browse("dora").post("/api/speech", json=SPEECH)
    assert answer.status_code == 200, answer.text
    user, key, face, outcome = usage_row(data_dir, answer.headers["x-request-id"])
    assert user is not None
    assert (key, face, outcome) == (None, "native", "completed")


def test_a_key_stands_in_the_usage_row_and_no_user(http, data_dir):
    answer = http.post("/api/speech", json=SPEECH)
    user, key, _, _ = usage_row(data_dir, answer.headers["x-request-id"])
    assert key is not None
    assert user is None


@pytest.mark.parametrize("token", ["", "x" * 32])
def test_a_browser_without_the_right_token_is_refused(browse, token):
    answer = browse("dora", token).post("/api/speech", json=SPEECH)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "not_allowed"


def test_a_session_opens_nothing_under_v1(browse):
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT}
    assert browse("dora").post("/v1/audio/speech", json=body).status_code == 401


def test_a_browser_reads_its_own_usage(browse):
    usage = browse("dora").get("/api/usage").json()
    assert usage["key"] is None
    assert set(usage["account"]) == {"characters", "audio_seconds"}


# -- the engine


def test_it_shows_the_engine(http):
    engine = http.get("/api/engine").json()
    assert (engine["engine"], engine["model"], engine["state"]) == ("tone", "tone", "ready")
    assert engine["slots"] > 0
    assert engine["sample_rate"] == 24_000
    assert {"seed", "marks"} <= set(engine["abilities"])


def wait_for(http, state):
    deadline = time.monotonic() + 10
    while (engine := http.get("/api/engine").json())["state"] != state:
        assert time.monotonic() < deadline, engine
        time.sleep(0.02)


def test_it_loads_and_unloads_on_command(http):
    assert http.post("/api/engine/unload").status_code == 200
    wait_for(http, "cold")
    assert http.post("/api/engine/load").status_code == 200
    wait_for(http, "ready")
    assert http.post("/api/speech", json=SPEECH).status_code == 200


def test_it_does_not_unload_while_it_speaks(http):
    body = {**SPEECH, "input": TEXT * 20}
    with http.stream("POST", "/api/speech", json=body):
        refused = http.post("/api/engine/unload")
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "server_is_overloaded"
    assert int(refused.headers["retry-after"]) >= 1
    assert http.get("/api/engine").json()["state"] == "ready"


@pytest.mark.parametrize("action", ["load", "unload"])
def test_only_those_who_run_the_platform_operate_it(browse, action):
    refused = browse("dora").post(f"/api/engine/{action}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")


def test_staff_operates_it_from_a_browser(browse):
    assert browse("admin").post("/api/engine/load").status_code == 200


# -- usage


def test_usage_grows_by_what_was_spoken(http, data_dir):
    before = http.get("/api/usage").json()
    text = "Grüße, 世界! 😀"
    answer = http.post("/api/speech", json={**SPEECH, "input": text})
    usage_row(data_dir, answer.headers["x-request-id"])
    after = http.get("/api/usage").json()
    for owner in ("account", "key"):
        spoken = after[owner]["characters"]["used"] - before[owner]["characters"]["used"]
        heard = after[owner]["audio_seconds"]["used"] - before[owner]["audio_seconds"]["used"]
        assert spoken == len(text)
        assert heard == pytest.approx(len(answer.content) / 48_000, abs=0.002)
