"""Clients that do not keep up cost a bounded amount of memory, and not for ever."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .live import Answer, LiveServer, get, read_to_end, serving

MB = 1024 * 1024
LIMITS = {"stall_seconds": 2, "stall_rate": 4096}


@contextmanager
def clients(server: LiveServer, count: int, path: str) -> Iterator[list[socket.socket]]:
    """That many clients that have asked and do not read."""
    opened = [server.send(get(path), receive_buffer=4096) for _ in range(count)]
    try:
        yield opened
    finally:
        for client in opened:
            client.close()


def test_clients_that_never_read_cost_little_and_disturb_nobody(server: LiveServer) -> None:
    started = time.monotonic()
    server.get("/fill/8")
    alone = time.monotonic() - started
    before, produced = server.rss, server.statistics["produced"]
    with clients(server, 20, "/fill/500"):
        time.sleep(1)
        grown, produced = server.rss - before, server.statistics["produced"] - produced
        started = time.monotonic()
        assert len(server.get("/fill/8").body) == 8 * MB
        assert time.monotonic() - started < max(2, 4 * alone)
    assert grown < 20 * MB
    assert produced < 20 * 2 * MB, "the application was not held back"


@pytest.mark.slow
def test_a_client_that_takes_nothing_is_cut_and_one_that_reads_slowly_is_not(
    server: LiveServer,
) -> None:
    server.wait_until_idle()  # those of the test before it are not counted here
    cancelled = server.statistics["cancelled"]
    with clients(server, 2, "/fill/500") as (silent, slow):
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert slow.recv(16384)
            time.sleep(0.05)
        assert server.statistics["cancelled"] == cancelled + 1
        with pytest.raises(ConnectionResetError):
            while silent.recv(65536):
                pass


def test_a_large_answer_arrives_whole_at_a_late_client(server: LiveServer) -> None:
    with server.send(get("/fill/1", "Connection: close\r\n"), receive_buffer=4096) as client:
        time.sleep(0.5)
        assert len(Answer(read_to_end(client)).body) == MB


@pytest.mark.slow
def test_a_client_that_drips_is_cut(server: LiveServer) -> None:
    server.wait_until_idle()
    cancelled = server.statistics["cancelled"]
    with clients(server, 1, "/fill/500") as (dripping,):
        deadline = time.monotonic() + 6
        while server.statistics["cancelled"] == cancelled:
            assert time.monotonic() < deadline
            assert dripping.recv(1)
            time.sleep(0.05)


@pytest.mark.slow
def test_a_finished_response_nobody_fetches_is_dropped_too(server: LiveServer) -> None:
    before = server.open_files
    with clients(server, 5, "/fill/0.5"):
        time.sleep(0.3)
        assert server.open_files >= before + 5
        time.sleep(5)
        assert server.open_files <= before + 1


async def drink(port: int, path: str, gaps: list[float]) -> None:
    """Read one paced stream and note the gaps between its chunks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get(path, "Connection: close\r\n").encode())
    await reader.readuntil(b"\r\n\r\n")
    last = None
    while data := await reader.readline():
        size = int(data, 16)
        if not size:
            break
        await reader.readexactly(size + 2)
        now = time.monotonic()
        if last is not None:
            gaps.append(now - last)
        last = now
    writer.close()


def p99_gap(server: LiveServer, streams: int, chunks: int) -> float:
    """The 99th percentile of the gaps of that many streams of 80 ms chunks at once."""
    gaps: list[float] = []

    async def all_of_them() -> None:
        await asyncio.gather(
            *(drink(server.port, f"/stream/{chunks}", gaps) for _ in range(streams))
        )

    asyncio.run(all_of_them())
    assert len(gaps) == streams * (chunks - 1)
    return sorted(gaps)[int(len(gaps) * 0.99)]


@contextmanager
def readers(server: LiveServer, count: int) -> Iterator[list[socket.socket]]:
    """That many clients in the middle of a paced stream of which they have taken all so far."""
    with clients(server, count, "/stream/400") as opened:
        for _ in range(3):
            for client in opened:
                client.recv(65536)
        yield opened


@pytest.mark.slow
def test_a_thousand_that_never_read_cost_little_more_than_a_thousand_that_do() -> None:
    with serving() as server:
        server.get("/fill/2")
        empty = server.rss
        with readers(server, 1000):
            reading = server.rss
        time.sleep(2)
        quiet = min(p99_gap(server, 50, 50) for _ in range(3))
        with clients(server, 1000, "/fill/500"):
            time.sleep(3)
            not_reading = server.rss
            # The machine may be shared: the best of three is the server's own.
            busy = min(p99_gap(server, 50, 50) for _ in range(3))
    print(f"empty {empty / MB:.1f} MB, +{(reading - empty) / MB:.1f} MB for 1,000 readers, "
          f"+{(not_reading - empty) / MB:.1f} MB for 1,000 non-readers; "
          f"p99 gap {quiet * 1e3:.1f} ms quiet, {busy * 1e3:.1f} ms beside them")  # fmt: skip
    assert (reading - empty) / 1000 < 150 * 1024
    assert not_reading - reading < 64 * MB
    assert busy < 1.5 * quiet


@pytest.mark.slow
def test_of_a_thousand_slow_readers_only_those_that_drip_are_cut() -> None:
    with (
        serving(stall_seconds=20, stall_rate=100) as server,
        clients(server, 500, "/fill/500") as steady,
        clients(server, 500, "/fill/500") as dripping,
    ):
        before = server.rss
        for _ in range(25):  # the kernel takes 8 KiB at a time: once in 8 s for the steady ones
            started = time.monotonic()
            for client in steady:
                assert client.recv(1024)
            for client in dripping:
                client.recv(1)
            time.sleep(max(0, started + 1 - time.monotonic()))
        assert server.statistics["cancelled"] == 500
        assert server.rss - before < 64 * MB
