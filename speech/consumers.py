"""WebSockets: what changes is told as it changes.

The rows are the truth and the channel layer is the bell: a socket is told the present state when it
asks, and the newest state, at most ten times a second, whenever something may have changed. Nothing
that is lost on the way makes it wrong, as it looks again by itself every two seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError

from accounts.gate import in_pool
from speech.api.parsers import parse_object
from speech.errors import Failure, RequestError, describe
from speech.job_models import ENDED, Job
from speech.live import state_of_affairs
from speech.longform.news import group_of
from speech.longform.progress import progress_of
from speech.visitors import Visitor, visitor_of

logger = logging.getLogger(__name__)

SIGNED_OUT, NOT_FOUND, POLICY, DONE = 4401, 4404, 1008, 1000
CHECK_SECONDS = 8.0
LOOK_SECONDS = 2.0
PAUSE_SECONDS = 0.1
MOST_SOCKETS = 100
MOST_JOBS = 50
MOST_MISTAKES = 3

_ID = re.compile(r"job_[0-9a-f]{24}")
_open: Counter[str] = Counter()
_looks = ThreadPoolExecutor(4, thread_name_prefix="looks")


class Watcher(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A socket of somebody who is known, and is checked again and again."""

    visitor: Visitor

    is_welcome = staticmethod(Visitor.is_welcome)

    async def connect(self) -> None:
        visitor = visitor_of(self.scope)
        if visitor is None or not await in_pool(_looks, self.is_welcome, visitor):
            await self.close()
            return
        if _open[visitor.name] >= MOST_SOCKETS:
            await self.base_send({"type": "websocket.http.response.start", "status": 429})
            return
        self.visitor = visitor
        _open[visitor.name] += 1
        self.mistakes = 0
        self.changed = asyncio.Event()
        self.changed.set()  # the first look is now
        await self.accept()
        self.tasks = [
            asyncio.create_task(self._look_on()),
            asyncio.create_task(self._check_on()),
        ]

    async def disconnect(self, code: int) -> None:
        if not hasattr(self, "tasks"):
            return
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        _open[self.visitor.name] -= 1
        if not _open[self.visitor.name]:
            del _open[self.visitor.name]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            if text_data is None:
                raise RequestError("Send text, not bytes.", code="invalid_body")
            await self.take(parse_object(text_data.encode("utf-8", "replace")))
        except RequestError as error:
            await self._complain(describe(error))

    async def take(self, message: dict[str, Any]) -> None:
        """A message of theirs. Raises RequestError."""
        raise NotImplementedError

    async def look(self) -> None:
        """Tell what is new."""
        raise NotImplementedError

    async def tell(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message, ensure_ascii=False))

    async def _complain(self, failure: Failure) -> None:
        await self.tell(type="error", **failure.envelope)
        self.mistakes += 1
        if self.mistakes >= MOST_MISTAKES:
            await self.close(POLICY)

    async def _look_on(self) -> None:
        """Many bells at once are one look."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), LOOK_SECONDS)
            self.changed.clear()
            try:
                await self.look()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("a page is told later: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _check_on(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                if not await in_pool(_looks, self.is_welcome, self.visitor):
                    await self.close(SIGNED_OUT)
                    return
            except (DatabaseError, InterfaceError) as error:
                logger.warning("somebody is checked later: %s", error)


class ProgressConsumer(Watcher):
    """/ws/progress/: how far jobs are."""

    async def connect(self) -> None:
        self.jobs: dict[str, str] = {}  # by id, what was told last
        await super().connect()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
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
        if not _ID.fullmatch(public_id):
            await self.close(NOT_FOUND)
            return
        self.jobs[public_id] = ""
        try:
            await self.channel_layer.group_add(group_of(public_id), self.channel_name)
        except (OSError, RedisError) as error:
            logger.warning("a page looks by itself: %s", error)
        await self._show(public_id)

    async def _show(self, public_id: str) -> None:
        progress = await in_pool(_looks, _progress, self.visitor, public_id)
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
        await self.tell(type="operations", operations=await in_pool(_looks, state_of_affairs))


class Nowhere(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Any other path."""

    async def connect(self) -> None:
        await self.close()


def _progress(visitor: Visitor, public_id: str) -> dict[str, Any] | None:
    job = visitor.may_see(Job.objects.filter(public_id=public_id)).first()
    return progress_of(job) if job else None
