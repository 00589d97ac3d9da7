"""Real-time streams at once: time to first audio, gaps between chunks, CPU, completeness."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks import machine
from benchmarks.client import Take, take
from benchmarks.figures import percentile
from benchmarks.platforms import Platform, text_of
from benchmarks.playable import decoded_seconds, first_playable, is_short

STARTS_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Streams:
    """What so many streams of one format came to; times in milliseconds."""

    response_format: str
    clients: int
    seconds: float
    ttfa_p50: float
    ttfa_p95: float
    gap_p50: float
    gap_p99: float
    short: int
    cpu_ms_per_request: float
    cpu_share: float


async def measure(
    platform: Platform, response_format: str, clients: int, seconds: float
) -> Streams:
    """Start the streams evenly, 50 a second, so that all of them overlap; read each to its end."""
    ramp = clients / STARTS_PER_SECOND
    text = text_of(seconds + ramp)
    alone = await take(platform.target, text_of(1), response_format)
    assert alone.status == 200, alone.body
    cpu = machine.cpu_seconds(platform.pids)
    loop = asyncio.get_running_loop()
    began = loop.time()
    takes = await asyncio.gather(
        *(_take_at(platform, text, response_format, n / STARTS_PER_SECOND) for n in range(clients))
    )
    wall = loop.time() - began
    cpu = machine.cpu_seconds(platform.pids) - cpu
    return _summary(takes, response_format, seconds + ramp, cpu, wall)


async def _take_at(platform: Platform, text: str, response_format: str, delay: float) -> Take:
    await asyncio.sleep(delay)
    return await take(platform.target, text, response_format)


def _summary(
    takes: list[Take], response_format: str, seconds: float, cpu: float, wall: float
) -> Streams:
    refused = [answer for answer in takes if answer.status != 200]
    assert not refused, f"{len(refused)} streams were refused: {refused[0].body!r}"
    longest = max(takes, key=lambda answer: len(answer.body))
    length = len(longest.body)
    heard = decoded_seconds(longest.body, response_format)
    # Where even the longest is not what was asked for, all are short.
    complete = heard >= seconds
    ttfa = [first_playable(answer, response_format) * 1e3 for answer in takes]
    gaps = [gap * 1e3 for answer in takes for gap in answer.gaps]
    return Streams(
        response_format=response_format,
        clients=len(takes),
        seconds=seconds,
        ttfa_p50=percentile(ttfa, 50),
        ttfa_p95=percentile(ttfa, 95),
        gap_p50=percentile(gaps, 50),
        gap_p99=percentile(gaps, 99),
        short=sum(is_short(answer, length) for answer in takes) if complete else len(takes),
        cpu_ms_per_request=cpu / len(takes) * 1e3,
        cpu_share=cpu / wall,
    )
