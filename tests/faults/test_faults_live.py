"""Faults of the engine and of clients against the live platform, and what must hold after each."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults.invariants import Trace
from tests.live import LiveServer

LONG = "This sentence is one of many. " * 40
READY_SECONDS = 15


def body(text="A good request.", **fields):
    return {"model": "tts-1", "input": text, "response_format": "wav", "seed": 7, **fields}


def speak(server, key, text="A good request.", **fields):
    with server.http(key) as http:
        return http.post("/v1/audio/speech", json=body(text, **fields))


def last_row(data_dir):
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        query = "SELECT outcome, characters_charged, error_code FROM speech_usagerecord"
        return database.execute(f"{query} ORDER BY id DESC LIMIT 1").fetchone()


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


@pytest.fixture
def golden(server, live_key, data_dir):
    """A good request before the fault; after it the platform must be as it was."""
    before = speak(server, live_key)
    assert before.status_code == 200
    yield before.content
    server.set_faults()
    eventually(lambda: speak(server, live_key).content == before.content, READY_SECONDS)
    assert server.get("/livez").status_code == 200
    eventually(lambda: server.get("/readyz").status_code == 200)
    Trace.at_rest(data_dir)
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        used = database.execute(
            "SELECT sum(characters_used) FROM accounts_counter WHERE key_id IS NULL"
        )
        charged = database.execute("SELECT sum(characters_charged) FROM speech_usagerecord")
        assert used.fetchone() == charged.fetchone()
    assert not [name for name in Trace.of(data_dir).files if "tmp" in name]


def test_an_engine_that_fails_before_the_first_audio_is_a_json_error(
    server, live_key, data_dir, golden
):
    server.set_faults(raise_at=0)
    answer = speak(server, live_key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "synthesis_failed")
    eventually(lambda: last_row(data_dir) == ("server_failed", 0, "synthesis_failed"))


@pytest.mark.parametrize("response_format", ["pcm", "mp3", "opus", "aac", "flac", "wav"])
def test_an_engine_that_fails_later_breaks_the_transfer(
    server, live_key, data_dir, golden, response_format
):
    server.set_faults(raise_at=5)
    with pytest.raises(httpx.TransportError):
        speak(server, live_key, response_format=response_format)
    eventually(lambda: last_row(data_dir) == ("server_failed", 0, "synthesis_failed"))


def test_an_engine_that_fails_later_ends_the_events_with_an_error(server, live_key, golden):
    server.set_faults(raise_at=5)
    seen = []
    with pytest.raises(httpx.TransportError), server.http(live_key) as http:
        fields = body(model="gpt-4o-mini-tts", stream_format="sse")
        with http.stream("POST", "/v1/audio/speech", json=fields) as answer:
            seen.extend(answer.iter_lines())
    assert any(line.startswith("event: error") for line in seen)
    assert not any("speech.audio.done" in line for line in seen)


def test_one_that_fails_leaves_those_beside_it_as_they_were(server, live_key, golden):
    server.set_faults(raise_at=2, match="poisoned")
    texts = ["A good request."] * 7 + ["This one is poisoned."]

    def outcome(text):
        try:
            return speak(server, live_key, text).content
        except httpx.TransportError:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(outcome, texts))
    assert answers == [golden] * 7 + [None]


def test_audio_that_is_not_a_number_never_leaves(server, live_key, golden):
    server.set_faults(nan_at=0)
    answer = speak(server, live_key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "synthesis_failed")


def test_a_bad_take_is_made_again_with_another_seed_when_none_was_asked_for(
    server, live_key, golden
):
    server.set_faults(nan_at=0, times=1)
    assert speak(server, live_key, seed=None).status_code == 200


def test_a_child_that_dies_is_answered_for_and_comes_back(server, live_key, data_dir, golden):
    server.set_faults(die_at=0, match="deadly")
    begin = time.monotonic()
    answer = speak(server, live_key, "This is deadly.")
    assert time.monotonic() - begin < 5
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_a_lost_device_restarts_the_child(server, live_key, golden):
    server.set_faults(raise_at=0, sticky=True)
    assert speak(server, live_key).status_code in (500, 503)


@pytest.fixture(scope="module")
def paced_server(data_dir):
    """Real time, so that a request can be left while it speaks; one slot, so that others wait."""
    config = '{"speed": 1.0, "slots": 1}'
    with LiveServer(data_dir, {"ENGINE_CONFIG": config}) as server:
        yield server


def leave_by_fin(connection):
    connection.close()


def leave_by_rst(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def leave_by_half_close(connection):
    connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(OSError):
        while connection.recv(65_536):
            pass
    connection.close()


def ask(server, key, text):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    payload = httpx.Request("POST", server.url, json=body(text, response_format="mp3")).content
    head = (
        f"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    connection.sendall(head.encode() + payload)
    return connection


def engine(server, key):
    return server.get("/api/engine", key).json()


@pytest.mark.parametrize("leave", [leave_by_fin, leave_by_rst, leave_by_half_close])
@pytest.mark.parametrize(
    "point",
    [
        "at once",
        pytest.param("after headers", marks=pytest.mark.slow),
        pytest.param("midway", marks=pytest.mark.slow),
    ],
)
def test_a_client_that_leaves_frees_its_slot_and_pays_for_what_began(
    paced_server, live_key, data_dir, leave, point
):
    server = paced_server
    rows = Trace.of(data_dir).usage_rows
    leaver = ask(server, live_key, LONG)
    received = {"at once": 0, "after headers": 1, "midway": 20_000}[point]
    while received > 0:
        received -= len(leaver.recv(4096))
    begin = time.monotonic()
    leave(leaver)
    eventually(lambda: engine(server, live_key)["running"] == 0)
    assert time.monotonic() - begin < 3
    if Trace.at_rest(data_dir).usage_rows == rows:
        assert point == "at once"
        return
    outcome, charged, _ = last_row(data_dir)
    assert outcome == "client_closed"
    assert charged < len(LONG)
    assert (charged > 0) == (point != "at once")


@pytest.mark.parametrize("leave", [leave_by_fin, leave_by_rst, leave_by_half_close])
def test_a_client_that_leaves_the_queue_is_never_spoken_to(paced_server, live_key, data_dir, leave):
    with contextlib.closing(ask(paced_server, live_key, LONG)) as speaking:
        speaking.recv(1)
        leaver = ask(paced_server, live_key, LONG)
        eventually(lambda: engine(paced_server, live_key)["waiting"] == 1)
        leave(leaver)
        eventually(lambda: engine(paced_server, live_key)["waiting"] == 0)
        eventually(lambda: last_row(data_dir)[:2] == ("client_closed", 0))
    Trace.at_rest(data_dir)


def test_a_revoked_key_stops_speaking(paced_server, spare_key, data_dir):
    with contextlib.closing(ask(paced_server, spare_key, LONG * 2)) as listener:
        listener.recv(1)
        with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
            database.execute(
                "UPDATE accounts_apikey SET revoked_at = '2026-01-01' WHERE name = 'spare'"
            )
        received = b""
        begin = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while piece := listener.recv(65_536):
                received += piece
        assert time.monotonic() - begin < 10
        assert not received.endswith(b"0\r\n\r\n")
    eventually(lambda: last_row(data_dir)[0] == "cancelled")


@pytest.mark.slow
def test_sigterm_lets_a_running_answer_finish_and_refuses_new_ones(data_dir, live_key):
    with LiveServer(data_dir, {"ENGINE_CONFIG": '{"speed": 1.0}'}) as server:
        whole = {}

        def listen():
            whole["answer"] = speak(server, live_key, "A sentence that takes a few seconds." * 2)

        listener = threading.Thread(target=listen)
        listener.start()
        eventually(lambda: engine(server, live_key)["running"] == 1)
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: _ready_status(server) in (503, None))
        listener.join(20)
        assert whole["answer"].status_code == 200
        assert server.process.wait(15) == 0
    Trace.at_rest(data_dir)
    assert last_row(data_dir)[0] == "completed"


def _ready_status(server):
    try:
        return httpx.get(f"{server.url}/readyz", timeout=2).status_code
    except httpx.TransportError:
        return None


@pytest.mark.slow
def test_a_locked_database_is_a_503_and_streams_go_on(server, live_key, data_dir, golden):
    locker = sqlite3.connect(data_dir / "voxplatform.sqlite3", isolation_level=None)
    with server.http(live_key) as http:
        fields = body(LONG, response_format="pcm")
        with http.stream("POST", "/v1/audio/speech", json=fields) as running:
            pieces = running.iter_raw(4096)
            next(pieces)
            locker.execute("BEGIN IMMEDIATE")
            begin = time.monotonic()
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(speak, server, live_key)
                slowest = 0.0
                while not waiting.done():
                    asked = time.monotonic()
                    assert server.get("/livez").status_code == 200
                    slowest = max(slowest, time.monotonic() - asked)
                    time.sleep(0.05)
            answer = waiting.result()
            assert (answer.status_code, answer.json()["error"]["code"]) == (
                503,
                "database_unavailable",
            )
            assert time.monotonic() - begin < 12
            assert slowest < 1
            # The answer that had begun is not touched: it ends whole and settles later.
            assert sum(len(piece) for piece in pieces) > 100_000
    locker.execute("ROLLBACK")
    locker.close()
