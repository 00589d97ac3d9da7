"""Listeners as they come: closed loop (each asks again when it has heard) and Poisson arrivals."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

from benchmarks.figures import percentile
from benchmarks.sides import GUIDANCE, LINE, TEXT, TIMESTEPS
from speech.engine.base import Engine
from speech.engine.types import SamplingParams, Utterance


@dataclass
class Heard:
    """What listeners measured: seconds to first audio, and between chunks."""

    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    seconds: float = 0.0
    audio_seconds: float = 0.0

    def __str__(self) -> str:
        first = [percentile(self.first, percent) * 1000 for percent in (50, 95)]
        gap = percentile(self.gaps, 99) * 1000 if self.gaps else 0.0
        return (
            f"{len(self.first)} takes, first audio p50 {first[0]:.0f} p95 {first[1]:.0f} ms, "
            f"gap p99 {gap:.0f} ms, {self.audio_seconds / self.seconds:.2f} s of audio a second"
        )


class Listeners:
    """Threads that listen to one engine. With ``lines`` every fourth asks for a long one; with
    ``letters`` a text is cut there."""

    def __init__(
        self, engine: Engine, patches: int, *, lines: bool = False, letters: int | None = None
    ) -> None:
        self._engine = engine
        self._patches = patches
        texts = (TEXT, TEXT, TEXT, LINE) if lines else (TEXT,)
        self._texts = [text[:letters] for text in texts]
        self._lock = threading.Lock()

    def closed(self, listeners: int, takes: int) -> Heard:
        """So many listeners, each asks for so many takes, one after the other."""
        heard = Heard()

        def ask_again(first_seed: int) -> None:
            for seed in range(first_seed, first_seed + takes):
                self._listen(seed, heard)

        threads = [
            threading.Thread(target=ask_again, args=(index * takes,)) for index in range(listeners)
        ]
        return self._timed(threads, [0.0] * listeners, heard)

    def poisson(self, takes: int, per_second: float) -> Heard:
        """Takes that come at random, so many a second on average."""
        heard = Heard()
        draw = random.Random(1)
        threads = [
            threading.Thread(target=self._listen, args=(index, heard)) for index in range(takes)
        ]
        return self._timed(threads, [draw.expovariate(per_second) for _ in threads], heard)

    def _timed(self, threads: list[threading.Thread], waits: list[float], heard: Heard) -> Heard:
        begin = time.perf_counter()
        for thread, wait in zip(threads, waits, strict=True):
            time.sleep(wait)
            thread.start()
        for thread in threads:
            thread.join()
        heard.seconds = time.perf_counter() - begin
        return heard

    def _listen(self, seed: int, heard: Heard) -> None:
        params = SamplingParams(seed, GUIDANCE, TIMESTEPS, self._patches)
        utterance = Utterance(self._texts[seed % len(self._texts)], params=params)
        last = time.perf_counter()
        arrivals, samples = [], 0
        for chunk in self._engine.submit(utterance):
            now = time.perf_counter()
            arrivals.append(now - last)
            last = now
            samples += len(chunk.samples)
        with self._lock:
            heard.first.append(arrivals[0])
            heard.gaps += arrivals[1:]
            heard.audio_seconds += samples / self._engine.info.sample_rate
