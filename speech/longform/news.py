"""The bell: says that something about a job has changed, never what.

The rows are the truth. Told often, it rings at most ten times a second for each job; that it cannot
be heard (no loop, no Redis) fails nothing. Rings on the server's own loop, whichever thread calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 0.1


def group_of(public_id: str) -> str:
    """The group of channels that hear of a job."""
    return f"job.{public_id}"


class Bell:
    """One for each process; ``attach`` it to the loop that serves."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: set[str] = set()
        self._ringing: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []

    def attach(self, listener: Callable[[], None] | None = None) -> None:
        """Ring on this loop from now on; ``listener`` hears of every change in this process."""
        self._loop = asyncio.get_running_loop()
        if listener:
            self._listeners.append(listener)

    def detach(self) -> None:
        self._loop = None
        self._listeners.clear()

    def ring(self, public_id: str) -> None:
        """Something about this job has changed. From any thread; never waits, never raises."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, public_id)

    def _note(self, public_id: str) -> None:
        for listener in self._listeners:
            listener()
        self._due.add(public_id)
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.get_running_loop().create_task(self._ring_on())

    async def _ring_on(self) -> None:
        while self._due:
            due, self._due = self._due, set()
            layer = get_channel_layer()
            for public_id in due:
                try:
                    await layer.group_send(
                        group_of(public_id), {"type": "job.changed", "id": public_id}
                    )
                except (OSError, TimeoutError, RedisError) as error:
                    logger.warning("nobody could be told of a job: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)


bell = Bell()
