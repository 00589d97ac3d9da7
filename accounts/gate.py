"""The gate: DRF views, which are synchronous, run in one small pool of threads.

Each thread keeps its database connection between requests where that is safe; what a gate decided
travels on without one, so a long answer never holds a connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response

from accounts.exceptions import TooManyUploads

P = ParamSpec("P")
T = TypeVar("T")
View = Callable[..., HttpResponseBase]
AsyncView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
pool = ThreadPoolExecutor(settings.GATE_THREADS, thread_name_prefix="gate")
# Recordings take long to decode and much memory: two at a time, and nobody else waits for them.
uploads = ThreadPoolExecutor(2, thread_name_prefix="uploads")
UPLOADS_OF_ONE = 16
"""Recordings that one caller may have waiting or decoded, in one server."""
_uploading: Counter[str] = Counter()


def gated(
    view: View,
    *,
    takes_uploads: bool = False,
    carries_recording: Callable[[HttpRequest], bool] = lambda request: False,
) -> AsyncView:
    """An async view: the synchronous ``view`` runs in the pool, its answer leaves rendered.

    ``takes_uploads`` says that its forms hold recordings, ``carries_recording`` whether a request
    does that is none.
    """

    async def enter(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_upload = request.method == "POST" and (takes_uploads or carries_recording(request))
        if not is_upload:
            return await in_pool(pool, _decide, view, request, *args, **kwargs)
        with _waiting(request):
            return await in_pool(uploads, _decide, view, request, *args, **kwargs)

    return in_place_of(view, enter)


async def in_gate(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Have ``work`` done where views are decided, for callers that are no views."""
    return await in_pool(pool, work, *args, **kwargs)


async def beside_the_gate(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what handles recordings."""
    return await in_pool(uploads, work, *args, **kwargs)


async def in_pool(
    executor: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Have ``work`` done on a thread of this pool, which may wait for the database."""

    def enter() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            release_connections()

    return await sync_to_async(enter, thread_sensitive=False, executor=executor)()


def in_place_of(view: Any, stand_in: AsyncView) -> AsyncView:
    """Dress an async view as the DRF view it stands in for; any other it leaves as it is."""
    if hasattr(view, "cls"):
        # What DRF's schema generator looks for; DRF checks CSRF itself, for sessions only.
        stand_in.cls = view.cls  # type: ignore[attr-defined]
        stand_in.initkwargs = {}  # type: ignore[attr-defined]
        stand_in.csrf_exempt = True  # type: ignore[attr-defined]
    return stand_in


@contextmanager
def _waiting(request: HttpRequest) -> Iterator[None]:
    """One more recording of this caller waits; of each only so many may, for all take turns.

    Whoever it claims to be is looked at later: what counts is that it is the same.
    Raises TooManyUploads.
    """
    headers, cookies = request.headers, request.COOKIES
    caller = headers.get("authorization") or cookies.get(settings.SESSION_COOKIE_NAME, "")
    if _uploading[caller] >= UPLOADS_OF_ONE:
        raise TooManyUploads
    _uploading[caller] += 1
    try:
        yield
    finally:
        _uploading[caller] -= 1
        if not _uploading[caller]:
            del _uploading[caller]


def _decide(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    response = view(request, *args, **kwargs)
    if not isinstance(response, Response):
        return response
    # Rendered here: Django would take another thread for it.
    response.render()
    return HttpResponse(
        response.content, status=response.status_code, headers=dict(response.headers)
    )


def release_connections() -> None:
    """Give pooled connections back; keep SQLite's, which belong to the thread and stay good."""
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" or connection.errors_occurred:
            connection.close()
