"""Many streams held at once: what each costs in memory, read or not, and who suffers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks import machine, streams
from benchmarks.client import Recorder, hold
from benchmarks.platforms import Platform, text_of

LONG = text_of(60)
NORMAL_STREAMS = 50
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Silent:
    """Growth of server and engine per stream in KB; p99 gaps of normal streams in ms."""

    count: int
    each_kb: float
    quiet_gap_p99: float
    beside_gap_p99: float


async def reading(platform: Platform, count: int, settle: float) -> float:
    """KB that each of ``count`` streams costs while its client reads.

    Best on an engine slower than real time: memory is asked for here, not speed.
    """
    await streams.measure(platform, "pcm", 8, 0.5)
    empty = machine.resident(platform.pids)
    recorders = await _open(platform, count, read=True)
    await asyncio.sleep(settle)
    held = machine.resident(platform.pids)
    _abort(recorders)
    return (held - empty) / count / machine.KB


async def silent(platform: Platform, count: int, settle: float) -> Silent:
    """Hold ``count`` real-time streams of which nothing is taken, beside 50 that are normal."""
    normal = min(NORMAL_STREAMS, count)
    await streams.measure(platform, "pcm", normal, 0.5)
    quiet = await streams.measure(platform, "pcm", normal, 4)
    empty = machine.resident(platform.pids)
    recorders = await _open(platform, count, read=False)
    await asyncio.sleep(settle)
    held = machine.resident(platform.pids)
    beside = await streams.measure(platform, "pcm", normal, 4)
    _abort(recorders)
    each = (held - empty) / count / machine.KB
    return Silent(count, each, quiet.gap_p99, beside.gap_p99)


async def _open(platform: Platform, count: int, *, read: bool) -> list[Recorder]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> Recorder:
        async with turns:
            return await hold(platform.target, LONG, read=read)

    recorders = await asyncio.gather(*(one() for _ in range(count)))
    cut = sum(recorder.ended.done() for recorder in recorders)
    assert not cut, f"{cut} of {count} streams were cut"
    return recorders


def _abort(recorders: list[Recorder]) -> None:
    for recorder in recorders:
        recorder.transport.abort()
