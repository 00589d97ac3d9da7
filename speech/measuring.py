"""Measuring the running engine: 1, 4 and 8 clients at once, each through the one path.

What they have spoken is counted for the account of whoever asked, as everything is.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from uuid import uuid4

from accounts.gate import in_gate
from accounts.models import Account
from speech.engine.errors import SynthesisFailed
from speech.operations import EngineMeasurement
from speech.requests import Caller, SpeechRequest
from speech.runtime import runtime
from speech.synthesis import prepare

CLIENTS = (1, 4, 8)
EACH = 2
TEXT = "The sun was setting over the harbour, and the first lights came on along the quay."


@dataclass(frozen=True, slots=True)
class _Heard:
    ttfa: float
    wall: float
    audio: float


async def measure(account: Account, user_id: int) -> list[EngineMeasurement]:
    """Three rows, kept. Raises what ``prepare`` and a synthesis raise; nobody speaks on then."""
    rows = []
    for clients in CLIENTS:
        began = time.monotonic()
        heard = await _at_once(clients, account, user_id)
        rows.append(await in_gate(_keep, clients, heard, time.monotonic() - began, user_id))
    return rows


async def _at_once(clients: int, account: Account, user_id: int) -> list[_Heard]:
    """What so many hear; the first who cannot ends the others, and is who is told of."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_client(account, user_id)) for _ in range(clients)]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [one for task in tasks for one in task.result()]


async def _client(account: Account, user_id: int) -> list[_Heard]:
    return [await _speak(account, user_id) for _ in range(EACH)]


async def _speak(account: Account, user_id: int) -> _Heard:
    caller = Caller(account, "measure", f"measure_{uuid4().hex}", user_id=user_id)
    began = time.monotonic()
    synthesis = await in_gate(prepare, SpeechRequest(TEXT, response_format="pcm"), caller)
    with synthesis:
        first = await synthesis.start()
        ttfa = time.monotonic() - began
        async for _ in synthesis.chunks(first):
            pass
    return _Heard(ttfa, time.monotonic() - began, synthesis.audio_ms / 1000)


def _keep(clients: int, heard: list[_Heard], wall: float, user_id: int) -> EngineMeasurement:
    if not all(one.audio for one in heard):
        raise SynthesisFailed("The engine made no sound.")
    info = runtime.engine.info
    first = sorted(one.ttfa * 1000 for one in heard)
    return EngineMeasurement.objects.create(
        engine=info.engine,
        model=info.model,
        clients=clients,
        requests=len(heard),
        ttfa_p50_ms=statistics.median(first),
        ttfa_p95_ms=first[min(len(first) - 1, round(0.95 * len(first)))],
        rtf=statistics.median(one.wall / one.audio for one in heard),
        audio_per_second=sum(one.audio for one in heard) / wall,
        measured_by_id=user_id,
    )
