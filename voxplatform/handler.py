"""Django's ASGI handler, without a thread of its own for every request that needs none.

Django keeps a thread for each request until its answer has ended, for database work that must not
leave it. The API's is done in the gate, so a thousand streams are not a thousand idle threads.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler

from voxplatform.middleware import for_browsers


class Handler(ASGIHandler):
    """Requests of machines share one thread for Django's signals; browsers' are as ever."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with_key = any(name == b"authorization" for name, _ in scope["headers"])
        if for_browsers(scope["path"], with_key):
            await super().__call__(scope, receive, send)
        else:
            await self.handle(scope, receive, send)
