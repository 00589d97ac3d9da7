"""A raw HTTP client: one request per connection for streams, many for small answers.

On a small machine the client's own CPU is part of every result, so it only notes when bytes came
and takes them apart afterwards. It speaks to loopback alone, and every wait has an end.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

HOST = "127.0.0.1"
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Target:
    """A server on this machine and a key for it."""

    port: int
    key: str

    def get(self, path: str) -> bytes:
        """A request that keeps its connection."""
        return f"GET {path} HTTP/1.1\r\n{self._head()}\r\n".encode()

    def speech(self, text: str, response_format: str, **fields: Any) -> bytes:
        """A request for speech that ends its connection. The seed makes all answers alike."""
        body = json.dumps(
            {
                "model": "tts-1",
                "voice": "alloy",
                "input": text,
                "response_format": response_format,
                "seed": 1,
                **fields,
            }
        )
        head = (
            f"{self._head()}Connection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        return f"POST /v1/audio/speech HTTP/1.1\r\n{head}\r\n{body}".encode()

    def _head(self) -> str:
        return f"Host: {HOST}\r\nAuthorization: Bearer {self.key}\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """One HTTP chunk, and when its last byte had come (perf_counter)."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Take:
    """A streamed answer. ``complete`` says whether its end was the proper one."""

    began: float
    status: int
    frames: list[Frame]
    complete: bool

    @property
    def body(self) -> bytes:
        return b"".join(frame.data for frame in self.frames)

    @property
    def gaps(self) -> list[float]:
        """Seconds between one chunk and the next."""
        times = [frame.at for frame in self.frames]
        return [after - before for before, after in pairwise(times)]


@dataclass
class Recorder(asyncio.Protocol):
    """Sends a request and notes what comes, or with ``keep`` off only that it does."""

    request: bytes
    keep: bool = True
    arrivals: list[Frame] = field(default_factory=list)
    began: float = 0.0

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.began = time.perf_counter()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.keep:
            self.arrivals.append(Frame(time.perf_counter(), data))
        if not self.answered.done():
            self.answered.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.answered, self.ended):
            if not future.done():
                future.set_result(None)


async def take(target: Target, text: str, response_format: str, **fields: Any) -> Take:
    """Ask for speech, with more ``fields`` in the request, and read it to its end."""
    request = target.speech(text, response_format, **fields)
    _, recorder = await asyncio.get_running_loop().create_connection(
        lambda: Recorder(request), HOST, target.port
    )
    async with asyncio.timeout(SECONDS):
        await recorder.ended
    return parse(recorder)


async def hold(target: Target, text: str, *, read: bool) -> Recorder:
    """Open a stream and return once it speaks; without ``read`` nothing more is ever taken."""
    plug = socket.socket()
    plug.setblocking(False)
    if not read:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(plug, (HOST, target.port))
    _, recorder = await loop.create_connection(
        lambda: Recorder(target.speech(text, "pcm"), keep=False), sock=plug
    )
    async with asyncio.timeout(SECONDS):
        await recorder.answered
    if not read:
        recorder.transport.pause_reading()
    return recorder


def parse(recorder: Recorder) -> Take:
    """Take a chunked answer apart, giving each chunk the time at which it was whole."""
    buffer = bytearray()
    frames: list[Frame] = []
    status, complete = 0, False
    for arrival in recorder.arrivals:
        buffer += arrival.data
        if not status:
            head, found, rest = bytes(buffer).partition(b"\r\n\r\n")
            if not found:
                continue
            status, buffer = int(head.split()[1]), bytearray(rest)
        while (line := buffer.find(b"\r\n")) > 0 and not complete:
            size = int(buffer[:line], 16)
            end = line + 2 + size
            if len(buffer) < end + 2:
                break
            complete = size == 0
            if size:
                frames.append(Frame(arrival.at, bytes(buffer[line + 2 : end])))
            del buffer[: end + 2]
    return Take(recorder.began, status, frames, complete)


async def repeat(target: Target, path: str, until: float) -> list[float]:
    """GET on one connection until the time has come; the seconds each answer took."""
    reader, writer = await asyncio.open_connection(HOST, target.port)
    request, took = target.get(path), []
    try:
        while (began := time.perf_counter()) < until:
            writer.write(request)
            async with asyncio.timeout(SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                assert b" 200 " in head.partition(b"\r\n")[0], head
                length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
            took.append(time.perf_counter() - began)
    finally:
        writer.close()
    return took
