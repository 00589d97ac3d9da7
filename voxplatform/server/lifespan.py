"""ASGI's lifespan protocol: the application starts before the server listens and stops after it.

It does not know sockets. An application that leaves without looking at the first message does not
speak the protocol, which is allowed; one that fails later has failed to start.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)


class StartupFailed(Exception):
    """The application said, or showed, that it cannot start."""


class Lifespan:
    """One application's start and stop, and the state it shares with its requests."""

    def __init__(self, application: Any) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listens = False
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Start the application, or raise StartupFailed."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
        run = self._application(scope, self._receive, self._outbox.put)
        self._task = asyncio.create_task(run)
        try:
            answer = await self._ask(self._task, "lifespan.startup")
        except Exception as error:  # whatever it raised is its answer
            if self._listens:
                raise StartupFailed(f"The application cannot start: {error}") from error
            logger.debug("The application does not speak lifespan.", exc_info=error)
            self._task = None
            return
        if answer["type"] == "lifespan.startup.failed":
            raise StartupFailed(answer.get("message") or "The application cannot start.")

    async def shutdown(self, seconds: float) -> None:
        """Stop the application, once; it is cancelled when that takes longer than `seconds`."""
        task, self._task = self._task, None
        if task is None or task.done():
            return
        try:
            answer = await asyncio.wait_for(self._ask(task, "lifespan.shutdown"), seconds)
        except TimeoutError:
            logger.error("The application did not stop within %s seconds.", seconds)
            task.cancel()
        except Exception:
            logger.exception("The application failed while stopping.")
        else:
            if answer["type"] == "lifespan.shutdown.failed":
                logger.error("The application failed to stop: %s", answer.get("message", ""))

    async def _receive(self) -> dict[str, Any]:
        self._listens = True
        return await self._inbox.get()

    async def _ask(self, task: asyncio.Task[None], question: str) -> dict[str, Any]:
        """Put a message to the application and wait for its answer or its end."""
        await self._inbox.put({"type": question})
        while True:
            answer = asyncio.ensure_future(self._outbox.get())
            try:
                await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done():
                    task.result()
                    return {"type": f"{question}.complete"}
            finally:
                answer.cancel()
            if answer.result()["type"].startswith(question):
                return answer.result()
