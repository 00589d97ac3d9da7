"""Django's ASGI handler, without a thread of its own for every request that needs none.

Django keeps a thread for each request until its answer has ended, for database work that must not
leave it. The API's is done in the gate, so a thousand streams are not a thousand idle threads.
"""

from __future__ import annotations

from typing import Any

from django.core.cache import close_caches
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries

from voxplatform.middleware import for_browsers

# What Django does at both ends of a request, each time on a thread that is fetched for it.
_HOUSEKEEPING = (
    (request_started, reset_queries),
    (request_started, close_old_connections),
    (request_finished, close_old_connections),
    (request_finished, close_caches),
    (request_finished, reset_urlconf),
)


class MachineHandler(ASGIHandler):
    """Requests that leave nothing on a thread: their database work ends with the gate's own
    housekeeping, so that they wait for no other."""

    def __init__(self, browsers: ASGIHandler) -> None:
        vars(self).update(vars(browsers))  # the same middlewares, loaded once


class Handler(ASGIHandler):
    """Browsers' requests are as ever; those of machines go past the threads."""

    def __init__(self) -> None:
        super().__init__()
        self._machines = MachineHandler(self)
        for signal, tidy_up in _HOUSEKEEPING:
            signal.disconnect(tidy_up)
            signal.connect(tidy_up, sender=Handler)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with_key = any(name == b"authorization" for name, _ in scope["headers"])
        if for_browsers(scope["path"], with_key):
            await super().__call__(scope, receive, send)
        else:
            await self._machines.handle(scope, receive, send)
