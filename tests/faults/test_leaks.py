"""Nothing grows: memory, descriptors, threads and rows over thousands of mixed requests."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faults.invariants import MEGABYTE, Trace, deleted_files_held_open, resident_bytes
from tests.faults.test_slow_readers import child_of

SOAK = os.environ.get("SOAK") == "1"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]
REQUESTS = 10_000 if SOAK else 1_100
WARM_UP = 4_000 if SOAK else 400  # the allocator takes some thousands to settle
ROUND = 500 if SOAK else 70
AT_ONCE = 8
ABORTED = 0.3
KEPT = (5 if SOAK else 16) * MEGABYTE  # few rounds seldom see the emptiest moment
REFUSED = 0.02  # at most so many are told to come back: others use this machine as well
TRIES = 3
FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac")
TEXTS = ("Short.", "A sentence of a usual length, with 3 numbers.", "Many words. " * 15)


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds at rest."""

    memory: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid):
        here = Path(f"/proc/{pid}")
        return cls(
            resident_bytes(pid), len(os.listdir(here / "fd")), len(os.listdir(here / "task"))
        )


def mixed_request(draw):
    """Fields of a request, and after how many bytes its client leaves, if it does."""
    fields = {
        "model": draw.choice(("tts-1", "gpt-4o-mini-tts")),
        "voice": draw.choice(("alloy", "nova")),
        "input": draw.choice(TEXTS),
        "response_format": draw.choice(FORMATS),
        "speed": draw.choice((1.0, 1.0, 1.5)),
    }
    if fields["model"] != "tts-1" and draw.random() < 0.3:
        fields["stream_format"] = "sse"
    leaves_after = draw.choice((0, 1, 10_000)) if draw.random() < ABORTED else None
    return fields, leaves_after


async def ask(http, fields, leaves_after):
    """What became of a request: "heard" to its end, "left" before, or "refused" for now."""
    if leaves_after == 0:
        # Gone at any moment, from before the gate to the middle of the audio.
        try:
            async with asyncio.timeout(random.uniform(0, 0.05)):
                return await ask(http, fields, None)
        except TimeoutError:
            return "left"
    received = 0
    async with http.stream("POST", "/v1/audio/speech", json=fields) as answer:
        if answer.status_code == 503:
            assert (await answer.aread()) and answer.headers["retry-after"]
            return "refused"
        assert answer.status_code == 200, await answer.aread()
        async for piece in answer.aiter_raw():
            received += len(piece)
            if leaves_after is not None and received >= leaves_after:
                return "left"
    return "heard"


async def run(server, key, requests):
    """What became of them; who is refused comes back, as the SDKs do."""
    gate = asyncio.Semaphore(AT_ONCE)
    headers = {"authorization": f"Bearer {key}"}
    outcomes = Counter()

    async def one(http, request):
        async with gate:
            for attempt in range(TRIES):
                outcome = await ask(http, *request)
                outcomes[outcome] += 1
                if outcome != "refused":
                    return
                await asyncio.sleep(attempt + 1)
        raise AssertionError("It was refused again and again.")

    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, timeout=60, verify=False
    ) as http:
        await asyncio.gather(*(one(http, request) for request in requests))
    return outcomes


def at_rest(server, key, data_dir):
    """Wait until every stream has ended and is settled."""
    deadline = time.monotonic() + 30
    while True:
        trace = Trace.at_rest(data_dir)
        if server.get("/api/engine", key).json()["running"] == 0:
            return trace
        assert time.monotonic() < deadline, trace
        time.sleep(0.1)


def growth(samples):
    """Bytes per sample, by least squares."""
    middle = (len(samples) - 1) / 2
    mean = sum(samples) / len(samples)
    steps = [number - middle for number in range(len(samples))]
    rise = sum(step * (value - mean) for step, value in zip(steps, samples, strict=True))
    return rise / sum(step * step for step in steps)


def test_thousands_of_mixed_requests_leave_nothing_behind(server, live_key, data_dir):
    draw = random.Random(26)
    pids = server.process.pid, child_of(server)
    outcomes = asyncio.run(run(server, live_key, [mixed_request(draw) for _ in range(WARM_UP)]))
    before = at_rest(server, live_key, data_dir)
    held = [[Held.of(pid) for pid in pids]]
    for _ in range((REQUESTS - WARM_UP) // ROUND):
        requests = [mixed_request(draw) for _ in range(ROUND)]
        outcomes += asyncio.run(run(server, live_key, requests))
        after = at_rest(server, live_key, data_dir)
        held.append([Held.of(pid) for pid in pids])
        print(held[-1], flush=True)
    # Garbage comes and goes with its collector, and connections to the database with what is
    # done beside; what even the emptiest moments keep has leaked.
    half = len(held) // 2
    for process in zip(*held, strict=True):
        for kind, allowed in (("memory", KEPT), ("descriptors", 2), ("threads", 0)):
            kept = [getattr(now, kind) for now in process]
            assert min(kept[half:]) - min(kept[:half]) <= allowed, (kind, kept)
        if SOAK:
            assert growth([now.memory for now in process]) * 1000 / ROUND < MEGABYTE / 2
    assert not deleted_files_held_open(pids[0])
    assert after.files == before.files
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        rows = dict(
            database.execute("SELECT outcome, count(*) FROM speech_usagerecord GROUP BY outcome")
        )
        charged, ids = database.execute(
            "SELECT sum(characters_charged), count(DISTINCT request_id) FROM speech_usagerecord"
        ).fetchone()
    assert outcomes["heard"] + outcomes["left"] == REQUESTS
    assert outcomes["refused"] <= REFUSED * REQUESTS
    assert set(rows) == {"completed", "client_closed"}
    assert ids == sum(rows.values()) <= REQUESTS
    # Whoever heard the end is a completed row; one who left may have left behind the last byte.
    assert outcomes["heard"] <= rows["completed"]
    assert rows["client_closed"] > 0
    # The account and the key each count every character once.
    assert after.used_characters == 2 * charged
