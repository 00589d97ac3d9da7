"""Where the process is assembled: HTTP, WebSocket and lifespan, for any ASGI server.

Engine and ledger start before the server listens and stop when it has drained or ran out of time.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import django
from asgiref.sync import sync_to_async
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")
django.setup(set_prefix=False)

# Only after Django is set up may anything that holds models be imported.
from accounts.gate import pool  # noqa: E402
from speech.api.mcp_door import door  # noqa: E402
from speech.jobs import runner  # noqa: E402
from speech.ledger import ledger  # noqa: E402
from speech.longform.runner import JobRunner  # noqa: E402
from speech.routing import websocket_urlpatterns  # noqa: E402
from speech.runtime import runtime  # noqa: E402
from speech.text import normalize  # noqa: E402
from voxplatform.handler import Handler  # noqa: E402

# What a stream that the engine's end breaks off needs to write so into its usage record.
CLOSE_SECONDS = 2

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Start what the process carries, wait, stop it again."""
    async with AsyncExitStack() as opened:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await sync_to_async(start, thread_sensitive=False)()
                await opened.enter_async_context(door.attended())
                long_texts = await opened.enter_async_context(AsyncExitStack())
                if settings.RUN_JOBS:
                    await long_texts.enter_async_context(JobRunner().running())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await long_texts.aclose()  # hands its jobs back while there is a ledger
                # Before the sessions: what is being spoken ends as our failure, not its client's.
                await sync_to_async(stop, thread_sensitive=False)()
                await opened.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


def start() -> None:
    """The ledger first: the engine's first customer needs it."""
    runner.start()
    ledger().start()
    runtime.start()
    # The first reading of a date or a number loads grammars; no request should wait for that.
    pool.submit(normalize, "At 10:30.", "en")
    pool.submit(normalize, "有2个。", "zh")


def stop() -> None:
    """The engine first: the streams that it breaks off are closed in the ledger."""
    runner.stop()
    runtime.stop()
    ledger().wait_until_closed(CLOSE_SECONDS)
    ledger().stop()


application = ProtocolTypeRouter(
    {"http": Handler(), "websocket": URLRouter(websocket_urlpatterns), "lifespan": lifespan}
)
