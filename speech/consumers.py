"""WebSockets: what changes is told as it changes.

The rows are the truth and the channel layer is the bell: a socket is told the present state when it
asks, and the newest state whenever something may have changed (see ``speech/watcher.py``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from accounts.gate import in_pool
from speech.errors import RequestError
from speech.job_models import ENDED, Job
from speech.live import state_of_affairs
from speech.longform.news import group_of
from speech.longform.progress import progress_of
from speech.visitors import Visitor
from speech.watcher import Watcher, looks, one_less

logger = logging.getLogger(__name__)

NOT_FOUND, DONE = 4404, 1000
MOST_JOBS = 50  # of a socket
MOST_WATCHERS = 50  # of a job, in this server

_ID = re.compile(r"job_[0-9a-f]{24}")
_watched: Counter[str] = Counter()


class ProgressConsumer(Watcher):
    """/ws/progress/: how far jobs are; /ws/progress/{id}/: how far this one is."""

    async def connect(self) -> None:
        self.jobs: dict[str, str] = {}  # by id, what was told last
        self.telling = asyncio.Lock()  # who looked earlier tells earlier
        self.asked: str = self.scope["url_route"]["kwargs"].get("job", "")
        self.is_there = False
        await super().connect()
        if self.asked and hasattr(self, "tasks"):
            await self._join(self.asked)

    async def look_up(self) -> None:
        self.is_there = bool(self.asked) and await self._is_theirs(self.asked)

    def enter(self) -> bool:
        """A job in the URL needs a place too; of one that is not theirs nobody learns anything."""
        if (self.is_there and _watched[self.asked] >= MOST_WATCHERS) or not super().enter():
            return False
        return not self.is_there or self._take_place(self.asked)

    async def leave(self) -> None:
        await super().leave()
        for public_id in list(self.jobs):
            await self._leave(public_id)

    async def take(self, message: dict[str, Any]) -> None:
        kind, public_id = message.get("type"), message.get("job")
        if kind not in ("subscribe", "unsubscribe") or not isinstance(public_id, str):
            raise RequestError('Send {"type": "subscribe", "job": "job_…"}.', "type")
        if kind == "unsubscribe":
            await self._leave(public_id)
        elif len(self.jobs) >= MOST_JOBS and public_id not in self.jobs:
            raise RequestError(f"At most {MOST_JOBS} jobs in one connection.", "job")
        elif public_id not in self.jobs:
            await self._join(public_id)

    async def job_changed(self, event: dict[str, Any]) -> None:
        """The bell."""
        self.changed.set()

    async def look(self) -> None:
        for public_id in list(self.jobs):
            if public_id in self.jobs:
                await self._show(public_id)

    async def _join(self, public_id: str) -> None:
        """Listen first, then look: what changes between the two is heard."""
        if public_id not in self.jobs:
            if not await self._is_theirs(public_id):
                await self.close(NOT_FOUND)
                return
            if not self._take_place(public_id):
                told = f"At most {MOST_WATCHERS} connections are told of a job."
                raise RequestError(told, "job", "concurrency_limit_exceeded")
        try:
            await self.channel_layer.group_add(group_of(public_id), self.channel_name)
        except (OSError, RedisError) as error:
            logger.warning("a page looks by itself: %s", error)
        await self._show(public_id)

    async def _is_theirs(self, public_id: str) -> bool:
        if not _ID.fullmatch(public_id):
            return False
        return await in_pool(looks, _exists, self.visitor, public_id)

    def _take_place(self, public_id: str) -> bool:
        if _watched[public_id] >= MOST_WATCHERS:
            return False
        _watched[public_id] += 1
        self.jobs[public_id] = ""
        return True

    async def _show(self, public_id: str) -> None:
        async with self.telling:
            await self._tell_of(public_id)

    async def _tell_of(self, public_id: str) -> None:
        progress = await in_pool(looks, _progress, self.visitor, public_id)
        if progress is None:
            await self._leave(public_id)
            await self.close(NOT_FOUND)
            return
        written = json.dumps(progress, ensure_ascii=False)
        if self.jobs.get(public_id) != written:
            if public_id in self.jobs:
                self.jobs[public_id] = written
            await self.tell(type="job.progress", job=progress)
        if progress["state"] in ENDED:
            await self._leave(public_id)
            if not self.jobs:
                await self.close(DONE)

    async def _leave(self, public_id: str) -> None:
        if self.jobs.pop(public_id, None) is None:
            return
        one_less(_watched, public_id)
        try:
            await self.channel_layer.group_discard(group_of(public_id), self.channel_name)
        except (OSError, RedisError) as error:
            logger.info("a group was not left: %s", error)


class EngineConsumer(Watcher):
    """/ws/engine/: what the engine does, for those who run the platform."""

    is_welcome = staticmethod(Visitor.is_operator)

    async def take(self, message: dict[str, Any]) -> None:
        raise RequestError("Nothing is asked for here.", "type")

    async def look(self) -> None:
        await self.tell(type="operations", operations=await in_pool(looks, state_of_affairs))


class Nowhere(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Any other path."""

    async def connect(self) -> None:
        await self.close()


def _exists(visitor: Visitor, public_id: str) -> bool:
    return visitor.may_see(Job.objects.filter(public_id=public_id)).exists()


def _progress(visitor: Visitor, public_id: str) -> dict[str, Any] | None:
    job = visitor.may_see(Job.objects.filter(public_id=public_id)).first()
    return progress_of(job) if job else None
