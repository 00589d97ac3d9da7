"""Clients that never read, through the whole platform: gate, ledger, engine, encoder, socket."""

from __future__ import annotations

import contextlib
import selectors
import socket
import sqlite3
import subprocess
import threading
import time

import httpx
import pytest

from tests.faults.invariants import MEGABYTE, resident_bytes
from tests.live import LiveServer

SENTENCE = "na " * 60  # one utterance, of ten seconds
LONG = SENTENCE * 20
CHUNK_SECONDS = 0.08
RECEIVE_BUFFER = 4096
NORMAL_STREAMS = 50


@contextlib.contextmanager
def serving(data_dir, chunk_seconds=CHUNK_SECONDS):
    """Real-time speech with a slot for everybody, and nobody cut off while the test looks."""
    config = (
        f'{{"speed": 1.0, "slots": 1200, "max_waiting": 1200, "chunk_seconds": {chunk_seconds},'
        ' "park_seconds": 600}'
    )
    environment = {"ENGINE_CONFIG": config, "STALL_SECONDS": "600", "QUEUE_SECONDS": "120"}
    with LiveServer(data_dir, {**environment, "LOG_LEVEL": "WARNING"}) as server:
        yield server


def request_bytes(server, key, text):
    fields = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}
    payload = httpx.Request("POST", server.url, json=fields).content
    head = (
        f"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


@contextlib.contextmanager
def clients(server, key, count, text=LONG):
    """So many connections, each with a request sent, 50 at a time."""
    asked = request_bytes(server, key, text)
    with contextlib.ExitStack() as stack:
        opened = []
        for number in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            client.settimeout(120)
            client.connect(("127.0.0.1", server.port))
            client.sendall(asked)
            opened.append(client)
            if number % 50 == 49:
                assert client.recv(1)  # its answer has begun
        for client in opened[-50:]:
            assert client.recv(1)
        yield opened


class Readers:
    """Reads many connections on one thread and keeps the gaps between what comes on each."""

    def __init__(self, connections):
        self._selector = selectors.DefaultSelector()
        self._last = {}
        self.gaps = []
        self._stop = threading.Event()
        for connection in connections:
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._selector.close()

    def _run(self):
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.1):
                now = time.monotonic()
                with contextlib.suppress(BlockingIOError):
                    assert key.fileobj.recv(65_536), "a stream ended early"
                # What comes at once belongs together: one chunk may be several reads.
                last = self._last.get(key.fd)
                if last is not None and now - last > CHUNK_SECONDS / 4:
                    self.gaps.append(now - last)
                self._last[key.fd] = now

    def p99(self):
        ordered = sorted(self.gaps)
        return ordered[int(len(ordered) * 0.99)]


def child_of(server):
    """The engine's process."""
    done = subprocess.run(
        ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[0])


def settled_memory(pid, seconds=10):
    """Resident bytes once they have stopped growing."""
    last, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = resident_bytes(pid)
        if abs(now - last) < MEGABYTE / 10:
            return now
        last = now
        time.sleep(1)
    return last


def running(server, key):
    return server.get("/api/engine", key).json()["running"]


def wait_until_idle(server, key, data_dir):
    deadline = time.monotonic() + 60
    while running(server, key) or open_rows(data_dir):
        assert time.monotonic() < deadline, server.log[-2000:]
        time.sleep(0.1)


def open_rows(data_dir):
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        return database.execute(
            "SELECT count(*) FROM speech_usagerecord WHERE outcome = 'open'"
        ).fetchone()[0]


def warm_up(server, key, data_dir, count=50):
    """What is made once, at the first requests, is nobody's in particular."""
    with clients(server, key, count, text=SENTENCE):
        pass
    wait_until_idle(server, key, data_dir)


@pytest.mark.slow
def test_twenty_that_never_read_cost_less_than_twenty_megabytes(data_dir, live_key):
    with serving(data_dir) as server:
        warm_up(server, live_key, data_dir, 20)
        before = resident_bytes(server.process.pid) + resident_bytes(child_of(server))
        with clients(server, live_key, 20) as silent, server.http(live_key) as http:
            time.sleep(4)  # every window on the way has filled
            after = resident_bytes(server.process.pid) + resident_bytes(child_of(server))
            assert len(silent) == running(server, live_key) == 20
            begin = time.monotonic()
            assert http.get("/livez").status_code == 200
            assert time.monotonic() - begin < 1
        assert after - before < 20 * MEGABYTE
        wait_until_idle(server, live_key, data_dir)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_that_never_read_cost_little_more_than_a_thousand_that_do(data_dir, live_key):
    streams = 1000

    def held(reading):
        with serving(data_dir) as server:
            warm_up(server, live_key, data_dir)
            web, child = server.process.pid, child_of(server)
            before = resident_bytes(web), resident_bytes(child)
            with clients(server, live_key, streams) as opened, Readers(opened if reading else []):
                time.sleep(8)
                after = settled_memory(web), settled_memory(child)
                assert open_rows(data_dir) == streams
            wait_until_idle(server, live_key, data_dir)
        kept = [now - then for now, then in zip(after, before, strict=True)]
        print(
            "read:" if reading else "not read:", [size // 1024 for size in kept], "KB", flush=True
        )
        return kept

    unread, read = held(reading=False), held(reading=True)
    assert sum(unread) - sum(read) < 64 * MEGABYTE
    assert sum(unread) < streams * 150_000, "server and engine together"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_that_never_read_leave_the_others_their_pace(data_dir, live_key):
    ratios = []
    with serving(data_dir) as server:
        warm_up(server, live_key, data_dir)
        for _ in range(3):
            with (
                clients(server, live_key, NORMAL_STREAMS) as opened,
                Readers(opened) as normal,
            ):
                time.sleep(6)
                quiet, normal.gaps = normal.p99(), []
                with clients(server, live_key, 1000):
                    time.sleep(4)
                    normal.gaps = []
                    time.sleep(6)
                    ratios.append(normal.p99() / quiet)
            wait_until_idle(server, live_key, data_dir)
            if ratios[-1] < 1.5:
                break
    assert min(ratios) < 1.5, ratios
