"""A live server process and raw sockets to it: what the tests of the server share."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEY = "Authorization: Bearer vox_good\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back on a raw socket until it closed."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}

    @property
    def body(self) -> bytes:
        body = self.raw.partition(b"\r\n\r\n")[2]
        return unchunk(body) if "transfer-encoding" in self.headers else body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def unchunk(data: bytes) -> bytes:
    """The content of a complete chunked body; fails on one without its end."""
    parts = []
    while True:
        size, _, data = data.partition(b"\r\n")
        if int(size, 16) == 0:
            return b"".join(parts)
        parts.append(data[: int(size, 16)])
        data = data[int(size, 16) + 2 :]


START_SECONDS = 60  # as much as a busy machine may need


class LiveServer:
    """A process that serves `tests/server/app.py` with the given limits."""

    def __init__(self, environment: dict[str, str] | None = None, **options: Any) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.server.app", json.dumps(options)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.errors: list[str] = []
        self.readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self.readers:
            reader.start()
        self.said: list[str] = []
        self.port = int(self.wait_for("ready", START_SECONDS).split()[1])

    def _read_lines(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.errors.extend(self.process.stderr)

    def wait_for(self, start: str, seconds: float = 10) -> str:
        """The next line of output that starts so."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                errors = "".join(self.errors[-20:])
                raise AssertionError(f"no line {start!r}; {self.said}; {errors}") from None
            self.said.append(line)
            if line.startswith(start):
                return line

    # Talking to it

    def connect(self, seconds: float = 10, receive_buffer: int | None = None) -> socket.socket:
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(seconds)
        client.connect(("127.0.0.1", self.port))
        return client

    def send(self, request: str | bytes, **options: Any) -> socket.socket:
        client = self.connect(**options)
        client.sendall(request.encode("latin-1") if isinstance(request, str) else request)
        return client

    def ask(self, request: str | bytes, seconds: float = 10) -> Answer:
        """Send these bytes and read until the server closes."""
        with self.send(request, seconds=seconds) as client:
            return Answer(read_to_end(client))

    def get(self, path: str, headers: str = "") -> Answer:
        return self.ask(get(path, headers + "Connection: close\r\n"))

    @property
    def statistics(self) -> dict[str, int]:
        found: dict[str, int] = self.get("/statistics").json
        return found

    def wait_until_idle(self, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while self.statistics["running"] > 1:  # the one that counts
            assert time.monotonic() < deadline
            time.sleep(0.05)

    # Looking at it

    @property
    def rss(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    @property
    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # Ending it

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 10) -> int:
        """The exit code, with all that was said read."""
        code = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(5)
        while not self.lines.empty():
            self.said.append(self.lines.get())
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stdout and self.process.stderr
        self.process.stdout.close()
        self.process.stderr.close()


@contextlib.contextmanager
def serving(environment: dict[str, str] | None = None, **options: Any) -> Iterator[LiveServer]:
    """A server for the length of a block."""
    server = LiveServer(environment, **options)
    try:
        yield server
    finally:
        server.close()


def get(path: str, headers: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"


def post(path: str, length: int | None, headers: str = "") -> str:
    """The head of a POST, chunked when it has no length."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n{headers}\r\n"


def read_to_end(client: socket.socket) -> bytes:
    """All that comes until the server closes; a reset ends it too."""
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while data := client.recv(65536):
            received += data
    return bytes(received)


def read_until(client: socket.socket, end: bytes) -> bytes:
    received = bytearray()
    while end not in received:
        data = client.recv(65536)
        assert data, f"closed after {bytes(received)!r}"
        received += data
    return bytes(received)


def reset(client: socket.socket) -> None:
    """Close with a RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def assert_refused(answer: Answer, status: int, code: str | None) -> None:
    """The error envelope as JSON, with a request id, on a connection that closed."""
    assert answer.status == status, answer.raw[:300]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"].startswith("req_")
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert answer.json["error"]["code"] == code


# WebSockets by hand, so that they can misbehave


def open_socket(server: LiveServer, path: str, **options: Any) -> socket.socket:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n"
    )
    return server.send(get(path, upgrade), **options)


def accepted_socket(server: LiveServer, path: str, **options: Any) -> socket.socket:
    client = open_socket(server, path, **options)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return client


def frame(payload: bytes, opcode: int = 1, final: bool = True, length: int | None = None) -> bytes:
    """A masked frame; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    return head + bytes(4) + payload  # a mask of zeros leaves the payload as it is


def read_exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        if not part:
            raise ConnectionError("closed within a frame")
        data += part
    return data


def read_frame(client: socket.socket) -> tuple[int, bytes]:
    """Opcode and payload of the next frame."""
    first, size = read_exactly(client, 2)
    if size == 126:
        (size,) = struct.unpack("!H", read_exactly(client, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", read_exactly(client, 8))
    return first & 15, read_exactly(client, size)


def read_close_code(client: socket.socket) -> int:
    """The code of the close frame, whatever comes before it."""
    while True:
        opcode, payload = read_frame(client)
        if opcode == 8:
            (code,) = struct.unpack("!H", payload[:2])
            return int(code)
