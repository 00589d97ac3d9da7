"""A WebSocket of somebody who is known: let in if there is room, and checked again and again.

It looks when it is rung, at most ten times a second, and by itself every two seconds, so that
nothing that is lost on the way makes it wrong. What there is to see is its children's to say.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, InterfaceError

from accounts.gate import in_pool
from speech.api.parsers import parse_object
from speech.errors import Failure, RequestError, describe
from speech.visitors import Visitor, visitor_of

logger = logging.getLogger(__name__)

SIGNED_OUT, POLICY = 4401, 1008
CHECK_SECONDS = 8.0
LOOK_SECONDS = 2.0
PAUSE_SECONDS = 0.1
MOST_SOCKETS = 100
MOST_MISTAKES = 3

looks = ThreadPoolExecutor(4, thread_name_prefix="looks")
_open: Counter[str] = Counter()


def one_less(counter: Counter[str], name: str) -> None:
    """Who has none is not kept in mind."""
    counter[name] -= 1
    if not counter[name]:
        del counter[name]


class Watcher(AsyncWebsocketConsumer):  # type: ignore[misc]
    """What all of them share."""

    visitor: Visitor
    tasks: list[asyncio.Task[None]]

    is_welcome = staticmethod(Visitor.is_welcome)

    async def __call__(self, *call: Any) -> None:
        """However it ends, an error of the database's included, nothing of it stays."""
        try:
            await super().__call__(*call)
        finally:
            if hasattr(self, "tasks"):
                await self.leave()

    async def connect(self) -> None:
        visitor = visitor_of(self.scope)
        if visitor is None or not await in_pool(looks, self.is_welcome, visitor):
            await self.close()
            return
        self.visitor = visitor
        await self.look_up()
        if not self.enter():
            await self.base_send({"type": "websocket.http.response.start", "status": 429})
            return
        self.mistakes = 0
        self.changed = asyncio.Event()
        self.changed.set()  # the first look is now
        await self.accept()
        self.tasks = [
            asyncio.create_task(self._look_on()),
            asyncio.create_task(self._check_on()),
        ]

    async def look_up(self) -> None:
        """Whatever has to be known before it is decided whether there is room."""

    def enter(self) -> bool:
        """Take a place among the visitor's sockets; False where there is none. ``leave`` gives it
        back. Awaits nothing, so that nobody gets in between."""
        if _open[self.visitor.name] >= MOST_SOCKETS:
            return False
        _open[self.visitor.name] += 1
        self.tasks = []
        return True

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        one_less(_open, self.visitor.name)

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
                if not await in_pool(looks, self.is_welcome, self.visitor):
                    await self.close(SIGNED_OUT)
                    return
            except (DatabaseError, InterfaceError) as error:
                logger.warning("somebody is checked later: %s", error)
