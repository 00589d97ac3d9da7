"""Saying one segment: through the one path, stored, and finished together with its charge.

The order is safe against a kill at any point: first the audio is on the disk, then one transaction
writes the charge and the segment. What became of it is told as a Result; no error gets past here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import ParamSpec, TypeVar

import numpy as np
from django.db import InterfaceError, OperationalError

from accounts.exceptions import (
    AccountDeactivated,
    DatabaseUnavailable,
    InvalidKey,
    QuotaExceeded,
    RateLimited,
    TooManyStreams,
)
from accounts.gate import in_pool
from speech.audio.pcm import Samples
from speech.engine.errors import EngineBusy, EngineUnavailable, QueueTimeout, SynthesisFailed
from speech.engine.types import VoicePrompt
from speech.errors import ShuttingDown, describe
from speech.job_models import Unwanted
from speech.job_parts import Segment
from speech.longform.holding import Holding
from speech.longform.orders import Order, place_order, take_of
from speech.longform.storage import forget, keep_segment
from speech.synthesis import Synthesis
from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

QUOTA_SECONDS = 300.0
BUSY_SECONDS = 0.5
DOWN_SECONDS = 3.0
# Less than this tells a model too little of a voice.
SHORTEST_TAKE_SECONDS = 0.5

_rows = ThreadPoolExecutor(4, thread_name_prefix="longform")
_files = ThreadPoolExecutor(4, thread_name_prefix="longform-files")

_LATER = (TooManyStreams, RateLimited, EngineBusy, QueueTimeout)
_DOWN = (
    DatabaseUnavailable,
    StorageUnavailable,
    OperationalError,
    InterfaceError,
    EngineUnavailable,
)


@dataclass(frozen=True, slots=True)
class Again:
    """Try it again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The job cannot go on: it waits for ``seconds``, or without them for a person."""

    code: str
    message: str
    seconds: float | None = None


Result = Again | Stop | None


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Have ``work`` done on a thread that may wait for the database. Leases are renewed on these,
    so that nothing that touches the storage belongs here."""
    return await in_pool(_rows, work, *args, **kwargs)


async def with_files(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what may wait for the storage."""
    return await in_pool(_files, work, *args, **kwargs)


async def say(holding: Holding, segment_id: int, voice: str) -> Result:
    """Say a segment of a claimed job. Cancelling it costs its account nothing."""
    order: Order | None = None
    try:
        take = await _take(holding, voice)
        order = await with_files(place_order, holding.job, segment_id, take)
        await _spoken(holding, order)
        if holding.leads(segment_id):
            with suppress(StorageUnavailable):  # who comes next looks for it again
                await _take(holding, voice)
    except (Unwanted, Segment.DoesNotExist):
        return None
    except QuotaExceeded as error:
        return Stop(error.code or "", str(error), QUOTA_SECONDS)
    except (InvalidKey, AccountDeactivated) as error:
        return Stop(error.code or "", str(error))
    except _LATER:
        return Again(BUSY_SECONDS)
    except _DOWN as error:
        if order is not None and isinstance(error, EngineUnavailable) and order.synthesis.has_begun:
            # The engine may have died of this very text.
            return await _failed(order.segment, error, again=True)
        return Again(DOWN_SECONDS)
    except Exception as error:  # what a text makes go wrong must not end the others
        failure = describe(error)
        if failure.status >= 500:
            logger.exception("a segment of %s could not be said", holding.job.public_id)
        segment = order.segment if order else await _segment(segment_id)
        return await _failed(segment, error, again=isinstance(error, SynthesisFailed))
    return None


async def _take(holding: Holding, voice: str) -> VoicePrompt | None:
    """What was said first in a voice that is nobody's: nothing is said before it can be heard."""
    if voice not in holding.takes:
        try:
            found = await with_files(take_of, holding.job, voice)
        except FileNotFoundError:
            logger.warning("%s has lost the sound of a voice", holding.job.public_id)
            await aside(holding.job.lose_take, voice)
        else:
            if found:
                holding.takes[voice] = found
    return holding.takes.get(voice)


async def _spoken(holding: Holding, order: Order) -> None:
    began = monotonic()
    with order.synthesis as synthesis:
        try:
            samples = await _heard(synthesis)
            rate = synthesis.info.sample_rate
            job, segment = holding.job, order.segment
            kept = await with_files(keep_segment, job, segment.index, samples, rate)
            spoken = {
                "audio": kept,
                "samples": len(samples),
                "sample_rate": rate,
                "spoken_seed": synthesis.seed,
                "spoken_voice": synthesis.plan.voice,
                "wall_ms": round((monotonic() - began) * 1000),
                "usage_id": synthesis.record_id,
            }
            try:
                await synthesis.complete(partial(segment.finish, **spoken))
            except Unwanted:
                await with_files(forget, kept)
                raise
        except asyncio.CancelledError:
            synthesis.abandon(ShuttingDown("The server is shutting down."))
            raise
    await _keep_take(holding, order, kept, len(samples) / rate)
    with suppress(StorageUnavailable):  # swept when the job ends
        await with_files(_forget_former, segment, kept)


async def _heard(synthesis: Synthesis) -> Samples:
    pieces = [chunk.samples async for chunk in synthesis.chunks(await synthesis.start())]
    return np.concatenate(pieces)


async def _keep_take(holding: Holding, order: Order, audio: str, seconds: float) -> None:
    """The first of those that would each sound like another is what the others go on in."""
    if not holding.leads(order.segment.pk) or seconds < SHORTEST_TAKE_SECONDS:
        return
    voice = order.segment.voice_asked
    await aside(holding.job.keep_take, voice, audio, order.synthesis.plan.spoken)


def _forget_former(segment: Segment, kept: str) -> None:
    """What was heard until now, unless others go on in its voice."""
    takes = {take["audio"] for take in segment.job.takes.values()}
    if segment.audio and segment.audio != kept and segment.audio not in takes:
        forget(segment.audio)


async def _failed(segment: Segment, error: Exception, *, again: bool) -> Result:
    failure = describe(error)
    tries = await aside(segment.fail, failure.code or "refused", failure.message, again=again)
    return Again(BUSY_SECONDS) if tries else None


async def _segment(segment_id: int) -> Segment:
    return await aside(Segment.objects.get, pk=segment_id)
