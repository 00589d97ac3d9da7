"""Many streams held at once: what each costs in memory, read or not, and who suffers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks import machine, streams
from benchmarks.client import Recorder, hold
from benchmarks.platforms import Platform, text_of

LONG = text_of(240)
NORMAL_STREAMS = 50
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Held:
    """Growth of server and engine, in KB per stream; p99 gaps of 50 normal streams in ms."""

    count: int
    reading_kb: float
    silent_kb: float
    quiet_gap_p99: float
    beside_silent_gap_p99: float


async def measure(platform: Platform, count: int, settle: float) -> Held:
    """Hold ``count`` real-time streams that are read, then as many that never are."""
    normal = min(NORMAL_STREAMS, count)
    await streams.measure(platform, "pcm", normal, 2)
    empty = machine.resident(platform.pids)
    recorders = await _open(platform, count, read=True)
    await asyncio.sleep(settle)
    reading = machine.resident(platform.pids)
    await _close(recorders, settle)
    quiet = await streams.measure(platform, "pcm", normal, 4)
    recorders = await _open(platform, count, read=False)
    await asyncio.sleep(settle)
    silent = machine.resident(platform.pids)
    beside = await streams.measure(platform, "pcm", normal, 4)
    await _close(recorders, settle)
    per_stream = count * machine.KB
    return Held(
        count,
        (reading - empty) / per_stream,
        (silent - empty) / per_stream,
        quiet.gap_p99,
        beside.gap_p99,
    )


async def _open(platform: Platform, count: int, *, read: bool) -> list[Recorder]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> Recorder:
        async with turns:
            return await hold(platform.target, LONG, read=read)

    recorders = await asyncio.gather(*(one() for _ in range(count)))
    cut = sum(recorder.ended.done() for recorder in recorders)
    assert not cut, f"{cut} of {count} streams were cut"
    return recorders


async def _close(recorders: list[Recorder], settle: float) -> None:
    for recorder in recorders:
        recorder.transport.abort()
    await asyncio.sleep(settle)
