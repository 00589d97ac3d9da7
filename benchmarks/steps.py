"""How long a step takes in the middle of speech: every stream makes its next patch.

Drives a loaded runner without the engine's loop around it, while nobody else does.
"""

from __future__ import annotations

import time

from benchmarks.sides import GUIDANCE, TEXT, TIMESTEPS
from speech.engine.types import SamplingParams, Utterance
from speech.engine.voxcpm.runner import ModelRunner

WARM_UP = 3


def measure(runner: ModelRunner, streams: int, steps: int) -> list[float]:
    """Seconds of each of ``steps`` steps of so many streams that have read their prompts."""
    slots = list(range(streams))
    for slot in slots:
        params = SamplingParams(slot, GUIDANCE, TIMESTEPS, WARM_UP + steps + 1)
        runner.begin(slot, runner.prepare(Utterance(TEXT, params=params), slot))
    ready: list[int] = []
    while len(ready) < streams:
        ready += runner.prefill([slot for slot in slots if slot not in ready], 512)
    taken = []
    for _ in range(WARM_UP + steps):
        begin = time.perf_counter()
        # Where the device works ahead, the audio that is waited for here is behind the last step.
        runner.emit(slots)
        runner.advance(slots)
        taken.append(time.perf_counter() - begin)
    for slot in slots:
        runner.release(slot)
    return taken[WARM_UP:]
