"""One client: what the platform adds to the bare engine, and what each format adds to pcm.

Both are pairs, taken in turn and in random order within one run, so that whatever else the
machine does falls on both sides.
"""

from __future__ import annotations

import random
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from benchmarks.client import take
from benchmarks.figures import percentile
from benchmarks.platforms import Platform, text_of
from benchmarks.playable import first_playable
from speech.engine.hosts.process import ProcessHost
from speech.engine.types import Utterance

TEXT = text_of(0.3)
FORMATS = ("mp3", "opus", "aac", "flac")


@dataclass(frozen=True, slots=True)
class Added:
    """Time to first audio through the platform and without it, in milliseconds."""

    pairs: int
    bare_p50: float
    bare_p99: float
    platform_p50: float
    platform_p99: float
    added_p50: float
    added_p99: float
    ratio_p50: float


async def added(platform: Platform, engine: dict[str, Any], pairs: int) -> Added:
    """The same engine, once behind the platform and once driven directly."""
    host = ProcessHost("tone", engine)
    host.start()
    try:
        through: list[float] = []
        bare: list[float] = []
        for _ in range(pairs):
            for side in random.sample((0, 1), 2):
                if side:
                    answer = await take(platform.target, TEXT, "pcm")
                    through.append(first_playable(answer, "pcm") * 1e3)
                else:
                    bare.append(await _bare(host) * 1e3)
    finally:
        host.stop()
    differences = [after - before for before, after in zip(bare, through, strict=True)]
    ratios = [after / before for before, after in zip(bare, through, strict=True)]
    return Added(
        pairs,
        percentile(bare, 50),
        percentile(bare, 99),
        percentile(through, 50),
        percentile(through, 99),
        percentile(differences, 50),
        percentile(differences, 99),
        percentile(ratios, 50),
    )


async def _bare(host: ProcessHost) -> float:
    began, first = time.perf_counter(), None
    utterance = Utterance(TEXT)
    host.check(utterance)
    async with aclosing(host.submit(utterance).__aiter__()) as chunks:
        async for _ in chunks:
            first = first or time.perf_counter()
    assert first is not None
    return first - began


async def after_pcm(platform: Platform, rounds: int) -> dict[str, float]:
    """Milliseconds from pcm's first playable byte to each format's: medians over the rounds."""
    behind: dict[str, list[float]] = {name: [] for name in FORMATS}
    for _ in range(rounds):
        first = {}
        for name in random.sample(("pcm", *FORMATS), len(FORMATS) + 1):
            first[name] = first_playable(await take(platform.target, TEXT, name), name) * 1e3
        for name in FORMATS:
            behind[name].append(first[name] - first["pcm"])
    return {name: percentile(values, 50) for name, values in behind.items()}
