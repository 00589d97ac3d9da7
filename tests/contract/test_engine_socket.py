"""The WebSocket of the live engine: for those who run the platform, and for nobody else."""

from __future__ import annotations

import json

from tests.contract.sockets import refused_with, watching

PATH = "/ws/engine/"
TOLD = {"object", "engine", "machine", "streams", "accounts", "downloads", "errors"}


def operations(socket):
    told = socket.hear()
    assert told["type"] == "operations"
    return told["operations"]


def test_staff_are_told_at_once_and_on(server, issued):
    session = issued["sessions"]["admin"]
    with watching(server, session=session, origin=server.url, path=PATH) as socket:
        first, second = operations(socket), operations(socket)
    assert set(first) == set(second) == TOLD
    assert {"state", "slots", "running", "waiting", "restarts"} < set(first["engine"])
    assert first["engine"]["state"] == "ready"
    assert 0 < first["machine"]["memory_used"] < first["machine"]["memory_total"]
    assert first["machine"]["load"] >= 0


def test_a_key_wants_its_scope_and_a_person_to_be_staff(server, issued, keys):
    assert refused_with(server, key=keys["only engine"], path=PATH) == 101
    for key in ("without engine", "revoked", "expired", "elsewhere"):
        assert refused_with(server, key=keys[key], path=PATH) == 403
    dora, admin = issued["sessions"]["dora"], issued["sessions"]["admin"]
    for session in (dora, issued["sessions"]["clerk"]):  # who is staff, and may see nothing
        assert refused_with(server, session=session, origin=server.url, path=PATH) == 403
    for origin in (None, "null", "https://elsewhere.example"):
        status = refused_with(server, session=admin, origin=origin, path=PATH)
        assert status in (400, 403)


def test_a_stream_and_the_queue_are_told_by_account(server, keys):
    text = "A sentence that takes its time to be said, as all of them do. " * 60
    body = {"model": "tts-1", "voice": "nova", "input": text}
    with (
        server.http(keys["good"]) as http,
        http.stream("POST", "/api/speech", json=body) as answer,
    ):
        audio = answer.iter_bytes()
        next(audio)
        with watching(server, key=keys["only engine"], path=PATH) as socket:
            told = operations(socket)
        (stream,) = (one for one in told["streams"] if one["characters"] == len(text))
        assert (stream["voice"], stream["face"]) == ("nova", "native")
        (queue,) = (one for one in told["accounts"] if one["account"] == stream["account"])
        assert queue["speaking"] >= 1
        assert stream["age"] >= 0 <= stream["speed"]


def test_what_waits_is_told_by_account(server, keys):
    """A text that is paused waits for somebody, and not in the queue."""
    text = "A sentence that takes its time to be said, as all of them do. " * 600
    with server.http(keys["stranger"]) as http:
        jobs = [http.post("/api/jobs", json={"input": text}).json()["id"] for _ in range(3)]
        http.post(f"/api/jobs/{jobs[0]}/action", json={"action": "pause"})
        with watching(server, key=keys["only engine"], path=PATH) as socket:
            told = operations(socket)["accounts"]
        (queue,) = (one for one in told if one["account"] == "strangers")
        assert queue["jobs"] == 2
        assert set(queue) == {"account", "speaking", "waiting", "jobs"}
        for job in jobs:
            http.delete(f"/api/jobs/{job}")


def test_a_failure_stands_among_the_last_errors(server, keys, faults):
    faults(raise_at=0)
    body = {"model": "tts-1", "voice": "nova", "input": "It breaks."}
    with server.http(keys["good"]) as http:
        failed = http.post("/api/speech", json=body)
    with watching(server, key=keys["only engine"], path=PATH) as socket:
        errors = operations(socket)["errors"]
    assert failed.headers["x-request-id"] in [error["request"] for error in errors]


def test_nothing_is_asked_for_there(server, keys):
    with watching(server, key=keys["only engine"], path=PATH) as socket:
        for _ in range(3):
            socket.socket.send(json.dumps({"type": "subscribe", "job": "job_" + "0" * 24}))
        assert socket.closed_with() == 1008
