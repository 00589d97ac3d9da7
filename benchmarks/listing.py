"""Small answers over kept connections: how many a second, and the server's CPU for each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks import machine
from benchmarks.client import repeat
from benchmarks.figures import percentile
from benchmarks.platforms import Platform

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Listing:
    """One path under 16 clients that ask again as soon as they have the answer."""

    path: str
    per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


async def measure(platform: Platform, path: str, seconds: float) -> Listing:
    """Ask for ``path`` for so long, after a moment that does not count."""
    await _ask(platform, path, min(1.0, seconds / 4))
    began, cpu = time.perf_counter(), machine.cpu_seconds(platform.pids)
    took = await _ask(platform, path, seconds)
    wall, cpu = time.perf_counter() - began, machine.cpu_seconds(platform.pids) - cpu
    return Listing(
        path,
        len(took) / wall,
        cpu / len(took) * 1e3,
        percentile(took, 50) * 1e3,
        percentile(took, 99) * 1e3,
    )


async def _ask(platform: Platform, path: str, seconds: float) -> list[float]:
    until = time.perf_counter() + seconds
    asked = (repeat(platform.target, path, until) for _ in range(CONNECTIONS))
    return [time for took in await asyncio.gather(*asked) for time in took]
