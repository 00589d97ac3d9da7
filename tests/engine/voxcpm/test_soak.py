"""Two thousand requests, a third of them given up, leave the engine as it was."""

from __future__ import annotations

import gc
import os
import random
import threading
from pathlib import Path

import psutil
import pytest

from speech.engine.errors import EngineError
from speech.engine.types import Recording, SamplingParams, Utterance, VoicePrompt
from speech.engine.voxcpm.engine import VoxCPMEngine
from tests.engine.voxcpm.takes import sound

REQUESTS = 2000
LISTENERS = 10
GIVEN_UP = 0.3


def requests(draw):
    """A mix of voices, schedules and lengths."""
    voice = None
    if draw.random() < 0.3:
        rate = draw.choice([16_000, 24_000])
        voice = VoicePrompt(f"v{rate}", reference=Recording(sound((0.7, rate)), rate))
    params = SamplingParams(
        seed=draw.choice([None, 7]),
        cfg_value=draw.choice([1.0, 2.0]),
        inference_timesteps=draw.choice([2, 3, 5]),
        max_new_tokens=draw.randint(3, 8),
    )
    return Utterance("word " * draw.randint(1, 30), voice, params=params)


def listen(engine, count, draw, failures):
    for _ in range(count):
        given_up = draw.random() < GIVEN_UP
        stream = engine.submit(requests(draw))
        try:
            for index, _ in enumerate(stream):
                if given_up and index == draw.randint(0, 2):
                    break
        except EngineError as error:
            failures.append(error)


def spend(engine, count, seed):
    failures = []
    threads = [
        threading.Thread(
            target=listen, args=(engine, count // LISTENERS, random.Random(seed + n), failures)
        )
        for n in range(LISTENERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def measured():
    gc.collect()
    files = len(os.listdir("/proc/self/fd"))
    return psutil.Process().memory_info().rss, threading.active_count(), files


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_grows_over_two_thousand_mixed_requests(tiny_v2: Path):
    engine = VoxCPMEngine(model=str(tiny_v2), device="cpu", slots=4, max_length=256)
    engine.start()
    try:
        spend(engine, REQUESTS // 4, 0)
        memory, threads, files = measured()
        spend(engine, REQUESTS * 3 // 4, 1000)
        now, threads_now, files_now = measured()
        stats = engine.stats()
    finally:
        engine.stop()
    assert (stats.running, stats.waiting) == (0, 0)
    assert now - memory < 32 * 1024 * 1024
    assert (threads_now, files_now) == (threads, files)
