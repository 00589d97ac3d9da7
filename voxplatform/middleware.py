"""The way into Django: request ids, host check and one log line for all; stock middlewares for
browsers only.

Under ASGI each stock middleware costs a thread hop per hook. A client with an API key needs none
of them, so they are subclassed to let such requests pass straight through.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import csp.middleware
import structlog
import whitenoise.middleware
from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import clickjacking, common, csrf, security

from portal import preferences
from speech.api.responses import error_response
from speech.errors import RequestError
from voxplatform.errors import is_api, unavailable

log = structlog.get_logger("voxplatform.access")
AsyncView = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
PROBES = {"/livez", "/readyz", "/health"}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _request_id(request: HttpRequest) -> str:
    offered: str = request.headers.get("x-request-id", "")
    return offered if REQUEST_ID.fullmatch(offered) else f"req_{uuid.uuid4().hex}"


class FrontDoor:
    """Names the request, refuses a foreign Host in the API's own words, tells where the key's rate
    stands, logs one line."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: AsyncView) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request.id = _request_id(request)  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=request.id)  # type: ignore[attr-defined]
        response = await self._answer(request)
        response.headers["x-request-id"] = request.id  # type: ignore[attr-defined]
        response.headers.setdefault("x-content-type-options", "nosniff")
        if rate := getattr(request, "rate", None):
            for name, value in rate.headers.items():
                response.headers[name] = value
        if isinstance(response, HttpResponse):
            response.headers.setdefault("content-length", str(len(response.content)))
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request.path):
            try:
                _check_head(request)
            except (DisallowedHost, RequestError) as error:
                return error_response(error)
        return await self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's slot for what a view raised outside DRF: the async part of a speech request, or
        a page whose storage or database does not answer."""
        return error_response(error) if is_api(request.path) else unavailable(error)


def _check_head(request: HttpRequest) -> None:
    """A host of ours and a method as it is written: Django would read "post" as POST."""
    request.get_host()
    method: str = request.scope["method"]  # type: ignore[attr-defined]
    if method != request.method:
        raise RequestError("Write the method in capital letters.", code="invalid_body")


def for_browsers(path: str, with_key: bool) -> bool:
    """Whether sessions, CSRF and pages' headers matter: not for the API with a key, under /v1, or
    for what supervisors ask every second."""
    if is_api(path):
        return path.startswith("/api/") and not with_key
    return path not in PROBES


def _is_from_browser(request: HttpRequest) -> bool:
    return for_browsers(request.path, "authorization" in request.headers)


class BrowserOnly:
    """Mixin for a stock middleware: requests that are not for browsers go straight past it."""

    get_response: AsyncView

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if _is_from_browser(request):
            response: HttpResponseBase = await super().__acall__(request)  # type: ignore[misc]
            return response
        return await self.get_response(request)


class SecurityMiddleware(BrowserOnly, security.SecurityMiddleware):  # type: ignore[misc]
    pass


class SessionMiddleware(BrowserOnly, sessions.SessionMiddleware):  # type: ignore[misc]
    pass


class CommonMiddleware(BrowserOnly, common.CommonMiddleware):  # type: ignore[misc]
    pass


class AuthenticationMiddleware(BrowserOnly, auth.AuthenticationMiddleware):  # type: ignore[misc]
    pass


class PreferencesMiddleware(BrowserOnly, preferences.PreferencesMiddleware):  # type: ignore[misc]
    pass


class MessageMiddleware(BrowserOnly, messages.MessageMiddleware):  # type: ignore[misc]
    pass


class XFrameOptionsMiddleware(BrowserOnly, clickjacking.XFrameOptionsMiddleware):  # type: ignore[misc]
    pass


class CsrfViewMiddleware(BrowserOnly, csrf.CsrfViewMiddleware):  # type: ignore[misc]
    async def process_view(  # type: ignore[override]
        self, request: HttpRequest, *view: Any
    ) -> HttpResponseBase | None:
        if not _is_from_browser(request):
            return None
        check = sync_to_async(super().process_view, thread_sensitive=True)
        refusal: HttpResponseBase | None = await check(request, *view)
        return refusal


class CSPMiddleware(BrowserOnly, csp.middleware.CSPMiddleware):  # type: ignore[misc]
    """The strict policy everywhere, but for the admin, whose Alpine evaluates expressions."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_update = {  # type: ignore[attr-defined]
                "script-src": ["'self'", "'unsafe-eval'"],
                "style-src": ["'self'", "'unsafe-inline'"],
            }
        answer: HttpResponseBase = super().process_response(request, response)
        return answer


class WhiteNoiseMiddleware(whitenoise.middleware.WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, async: as it comes it would drag every view behind it into a thread."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: AsyncView) -> None:
        super().__init__(get_response, settings)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self.autorefresh:
            static_file = await sync_to_async(self.find_file)(request.path_info)
        else:
            static_file = self.files.get(request.path_info)
        if static_file is None:
            return await self.get_response(request)  # type: ignore[no-any-return]
        return await sync_to_async(self._read, thread_sensitive=False)(static_file, request)

    def _read(self, static_file: Any, request: HttpRequest) -> HttpResponse:
        found = self.serve(static_file, request)
        try:
            body = b"".join(found.streaming_content)
        finally:
            found.close()
        return HttpResponse(body, status=found.status_code, headers=dict(found.headers))
