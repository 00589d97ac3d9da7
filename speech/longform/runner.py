"""The runner of long texts: a coroutine on the server's own loop.

It claims jobs, has many segments said at once at a job's priority, gives accounts fair turns, keeps
its leases, has the files made and lets go. The database is where everything stands: a kill at any
point is made up for by whichever server looks next.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from rest_framework.exceptions import APIException

from speech.engine.types import EngineInfo, EngineState
from speech.job_models import Job, State
from speech.job_parts import Segment
from speech.longform.delivery import Postman
from speech.longform.endings import end_of, settle
from speech.longform.files import make_files
from speech.longform.holding import Holding
from speech.longform.news import bell
from speech.longform.orders import is_drawn
from speech.longform.storage import sweep
from speech.longform.work import Again, Result, Stop, aside, say, with_files
from speech.runtime import runtime
from voices.exceptions import ConsentRequired, StorageUnavailable, UnknownVoice

logger = logging.getLogger(__name__)
MOST_HELD = 64


class JobRunner:
    """``running`` it is all there is to do."""

    def __init__(self, *, pause: float = 1.0, lease_seconds: float = 30.0) -> None:
        self._pause = pause
        self._lease = timedelta(seconds=lease_seconds)
        self._renew_seconds = lease_seconds / 6
        self._look_at = 0.0
        self._holdings: dict[int, Holding] = {}
        self._saying: dict[asyncio.Task[Result], tuple[Holding, int, str]] = {}
        self._making: dict[asyncio.Task[Stop | None], Holding] = {}
        self._stops: dict[int, Stop] = {}
        self._awake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """It runs in this block; at its end what is being said is given up, jobs handed back."""
        bell.attach(self._awake.set)
        loops = [
            asyncio.create_task(self._run(), name="long texts"),
            asyncio.create_task(self._keep_leases(), name="leases of long texts"),
            asyncio.create_task(Postman().run(), name="webhooks"),
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._hand_back()
            bell.detach()

    async def _run(self) -> None:
        while True:
            try:
                await self._round()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("long texts find no database: %s", error)
            except Exception:  # the loop goes on, whatever one round met
                logger.exception("a round of long texts failed")
            await self._rest()

    async def _keep_leases(self) -> None:
        """Beside the rounds, in which one waits for the storage now and then."""
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self._look_at_held(partial(Job.objects.renew, lease=self._lease))
            except (DatabaseError, InterfaceError) as error:
                logger.warning("leases of long texts find no database: %s", error)

    async def _rest(self) -> None:
        """Until something ends or changes, and not for long."""
        self._awake.clear()
        bells = asyncio.create_task(self._awake.wait())
        waiting = {*self._saying, *self._making, bells}
        await asyncio.wait(waiting, timeout=self._pause, return_when=asyncio.FIRST_COMPLETED)
        bells.cancel()

    async def _round(self) -> None:
        for task in [task for task in self._saying if task.done()]:
            await self._landed(task)
        for making in [task for task in self._making if task.done()]:
            await self._made(making)
        await self._look_at_held(_held_among)
        await self._begin_segments()
        for holding in list(self._holdings.values()):
            if holding.is_over and holding not in self._making.values():
                await self._nothing_left(holding)

    # -- segments

    async def _begin_segments(self) -> None:
        if runtime.stats().state not in (EngineState.READY, EngineState.COLD):
            return
        info = runtime.known_info()
        if info is None:
            return
        await self._look_for_others(info)
        while len(self._saying) < self._most(info):
            holding = self._next() or await self._claim(info)
            if holding is None:
                return
            if not holding.has_next:
                continue
            segment, voice = holding.take_next()
            task = asyncio.create_task(say(holding, segment, voice))
            self._saying[task] = (holding, segment, voice)

    async def _look_for_others(self, info: EngineInfo) -> None:
        """Every account that has a job gets its turns, however much another still has."""
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return
        self._look_at = now + self._pause
        while len(self._holdings) < MOST_HELD and await self._claim(info, others=True):
            continue

    @staticmethod
    def _most(info: EngineInfo) -> int:
        """How many segments are said at once: one more than the engine works at, or its slots."""
        if settings.JOB_SEGMENTS:
            return int(settings.JOB_SEGMENTS)
        return max(2, runtime.stats().slots) if info.batches else 2

    def _next(self) -> Holding | None:
        """The account that has least in flight, and among those that waited longest."""
        flying = Counter(holding.account_id for holding, _, _ in self._saying.values())
        served: dict[int, float] = {}
        for holding in self._holdings.values():
            account = holding.account_id
            served[account] = max(served.get(account, 0.0), holding.served)
        ready = [holding for holding in self._holdings.values() if holding.has_next]
        if len(flying) < 2 and len({holding.account_id for holding in ready}) < 2:
            ready.sort(key=lambda holding: (holding.job.position, holding.job.pk))
        return min(
            ready,
            key=lambda holding: (
                flying[holding.account_id],
                served[holding.account_id],
                holding.job.position,
            ),
            default=None,
        )

    async def _claim(self, info: EngineInfo, *, others: bool = False) -> Holding | None:
        owner = uuid4().hex
        busy = {holding.account_id for holding in self._holdings.values()}
        job = await aside(Job.objects.claim, owner, self._lease, busy, others=others)
        if job is None:
            return None
        holding = Holding(job)
        self._holdings[job.pk] = holding
        try:
            await with_files(_look_through, holding, info)
        except (DatabaseError, InterfaceError):
            del self._holdings[job.pk]  # who claims it next looks through it as a whole
            raise
        bell.ring(job.public_id)
        return holding

    async def _landed(self, task: asyncio.Task[Result]) -> None:
        holding, segment, voice = self._saying.pop(task)
        holding.land(segment)
        bell.ring(holding.job.public_id)
        result = task.result()
        if isinstance(result, Again):
            holding.put_back(segment, voice, result.seconds)
        elif isinstance(result, Stop):
            self._stop(holding, result)

    def _stop(self, holding: Holding, stop: Stop) -> None:
        """Begin nothing more; the job is let go of when all that is under way has landed."""
        holding.is_stopping = True
        self._stops[holding.job.pk] = stop

    # -- jobs

    async def _nothing_left(self, holding: Holding) -> None:
        job = holding.job
        if holding.lost or holding.is_stopping:
            del self._holdings[job.pk]
            stop = self._stops.pop(job.pk, None)
            await (aside(settle, job, stop) if stop and not holding.lost else aside(job.release))
        elif await aside(_refill, holding):
            return
        else:
            making = asyncio.create_task(make_files(job))
            self._making[making] = holding
        bell.ring(job.public_id)

    async def _made(self, making: asyncio.Task[Stop | None]) -> None:
        holding = self._making.pop(making)
        job = holding.job
        # Where it is not this one, the job was resumed meanwhile and claimed anew.
        is_ours = self._holdings.get(job.pk) is holding
        stop = making.result()
        if stop is None:
            is_over = await with_files(end_of, job) or holding.lost
            if is_over and is_ours:
                del self._holdings[job.pk]
        elif is_ours:
            self._stop(holding, stop)
        bell.ring(job.public_id)

    async def _look_at_held(self, held_among: Callable[[list[str]], set[str]]) -> None:
        """What was paused, cancelled or taken over is not gone on with."""
        holdings = list(self._holdings.values())
        if not holdings:
            return
        held = await aside(held_among, [holding.job.owner for holding in holdings])
        for holding in holdings:
            if holding.job.owner not in held:
                holding.lost = True

    async def _hand_back(self) -> None:
        tasks = [*self._saying, *self._making]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for holding in self._holdings.values():
            try:
                await aside(holding.job.release)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("a job is handed back when its lease ends: %s", error)
        self._holdings.clear()
        self._saying.clear()
        self._stops.clear()
        self._making.clear()


def _held_among(owners: list[str]) -> set[str]:
    return set(
        Job.objects.filter(owner__in=owners, state=State.RUNNING).values_list("owner", flat=True)
    )


def _look_through(holding: Holding, info: EngineInfo) -> None:
    """What a former runner left behind goes; what it left undone is found."""
    try:
        sweep(holding.job)
    except StorageUnavailable as error:
        logger.warning("what is left over of %s stays for now: %s", holding.job.public_id, error)
    _refill(holding)
    for voice in {segment.voice_asked for segment in _pending(holding.job)}:
        try:
            if is_drawn(holding.job, voice, info):
                holding.drawn.add(voice)
        except (APIException, UnknownVoice, ConsentRequired, StorageUnavailable) as error:
            # Each segment in it will meet the same, and say so itself.
            logger.info("the voice %r cannot be had: %s", voice, error)


def _pending(job: Job) -> list[Segment]:
    pending = job.segments.filter(state=Segment.State.PENDING).order_by("index")
    found = list(pending.defer("text"))
    for segment in found:
        segment.job = job
    return found


def _refill(holding: Holding) -> bool:
    """Whether there is anything to be said, such as what was changed meanwhile."""
    holding.job.refresh_from_db(
        fields=["speakers", "chapters", "voice", "cast", "takes", "position"]
    )
    pending = _pending(holding.job)
    holding.fill((segment.pk, segment.voice_asked) for segment in pending)
    return bool(pending)
