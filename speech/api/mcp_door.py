"""The door behind which the official MCP SDK answers, while the server runs.

Loading the SDK takes a third of a start and tens of megabytes: the first who knocks waits for it,
not every start. Knows nothing of what is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from speech.errors import ShuttingDown

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Door:
    """Closed until the server attends to it; opened for the first who knocks."""

    def __init__(self) -> None:
        self._keeper: _Keeper | None = None

    async def knock(self) -> Application:
        """What answers. Raises ShuttingDown while nobody attends."""
        if self._keeper is None:
            raise ShuttingDown("MCP is not served at the moment.")
        return await self._keeper.open()

    @asynccontextmanager
    async def attended(self) -> AsyncGenerator[None]:
        """Open to whoever knocks; at the end every session is closed."""
        keeper = self._keeper = _Keeper()
        try:
            yield
        finally:
            self._keeper = None
            await keeper.close()


class _Keeper:
    """One task of the server's own begins and ends the sessions, whoever came first."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._leaving = asyncio.Event()
        self._opened: asyncio.Future[Application] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep())

    async def open(self) -> Application:
        self._wanted.set()
        parts: set[asyncio.Future[Any]] = {self._opened, self._task}
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done():
            self._task.result()  # says why it could not be opened
            raise ShuttingDown("MCP is not served at the moment.")
        return self._opened.result()

    async def close(self) -> None:
        self._leaving.set()
        self._wanted.set()
        await asyncio.wait({self._task})

    async def _keep(self) -> None:
        await self._wanted.wait()
        if self._leaving.is_set():
            return
        sessions = await asyncio.to_thread(_sessions)
        async with sessions as application:
            self._opened.set_result(application)
            await self._leaving.wait()


def _sessions() -> AbstractAsyncContextManager[Application]:
    from speech.api.mcp_server import sessions

    return sessions()


door = Door()
