"""The MCP face's way in: ``/mcp`` passes the same gate as every other route, then Django's request
is relayed to the official SDK's transport, and its answer back.

What a message says is for the SDK to read; what the tools do stands in ``mcp_tools``. The SDK is
not imported here: whoever never asks for it need not wait for it (``mcp_door``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import anyio
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.exceptions import NotAllowed
from accounts.gate import gated, in_place_of
from accounts.negotiation import IgnoreAccept
from accounts.throttling import KeyRateThrottle
from speech.api.mcp_door import Application, Message, door
from speech.api.parsers import parse_object
from speech.api.requests import caller_of, origin_of
from speech.errors import RequestError
from speech.requests import Caller
from voices.models import Origin

# Where the SDK's request object carries the exchange that it belongs to.
EXCHANGE = "voxplatform.exchange"
# Events that wait for a slow reader before whoever makes them has to wait too.
WAITING = 4
# JSON-RPC's own codes.
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
# These belong to one connection; the server writes its own.
_HOP_BY_HOP = {"connection", "content-type"}


# The event loop itself keeps no task alive, and these outlast a client that leaves: a session must
# not end because its client did not read the last line of an answer.
_running: set[asyncio.Task[None]] = set()


class Admitted(HttpResponse):
    """What the gate hands on when it lets a request through; never sent."""

    def __init__(self, caller: Caller, origin: Origin) -> None:
        super().__init__()
        self.caller = caller
        self.origin = origin


class OwnPages(BasePermission):
    """Browsers say which page asks: a name made to lead here (DNS rebinding) is not ours."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        origin = request.headers.get("origin")
        if origin and origin not in settings.CSRF_TRUSTED_ORIGINS:
            raise NotAllowed("Pages of this origin may not use /mcp.")
        return True


class McpGate(APIView):
    """Who, from where, and how often; what a tool needs beyond that it asks for itself."""

    permission_classes = [OwnPages, IsAuthenticated]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept
    # Nothing is ever sent unasked, so there is no stream to GET.
    http_method_names = ["post", "delete"]

    def post(self, request: Request) -> HttpResponseBase:
        return _fault(request._request.body) or self.delete(request)

    def delete(self, request: Request) -> HttpResponseBase:
        return Admitted(caller_of(request, "mcp"), origin_of(request))


def _fault(body: bytes) -> HttpResponse | None:
    """JSON-RPC's answer to what is no message: broken JSON, a batch, or an id of another type."""
    try:
        number = parse_object(body).get("id", 0)
    except RequestError as error:
        code = PARSE_ERROR if error.code == "invalid_json" else INVALID_REQUEST
        return _invalid(code, error.message)
    # A request with such an id would be taken for a notification, and never be answered.
    if isinstance(number, bool) or not isinstance(number, str | int):
        return _invalid(INVALID_REQUEST, "The id must be a string or a whole number.")
    return None


def _invalid(code: int, message: str) -> HttpResponse:
    error = {"code": code, "message": message}
    return JsonResponse({"jsonrpc": "2.0", "id": None, "error": error}, status=400)


_gate = gated(McpGate.as_view())


async def _relay(request: HttpRequest) -> HttpResponseBase:
    admitted = await _gate(request)
    if not isinstance(admitted, Admitted):
        return admitted
    application = await door.knock()
    return await Exchange(request, admitted).answer(application)


mcp = in_place_of(McpGate.as_view(), _relay)
"""POST /mcp for messages, DELETE /mcp for the end of a session."""


class Exchange:
    """One HTTP request as an ASGI application sees it, and its answer as Django streams it.

    When the answer has ended or the client has left, what was made for this client alone stops.
    """

    def __init__(self, request: HttpRequest, admitted: Admitted) -> None:
        self.caller = admitted.caller
        self.origin = admitted.origin
        self._scope = {**request.scope, EXCHANGE: self}  # type: ignore[attr-defined]
        self._body: bytes | None = request.body
        self._loop = asyncio.get_running_loop()
        self._head: asyncio.Future[Message] = self._loop.create_future()
        self._made, self._taken = anyio.create_memory_object_stream[bytes](WAITING)
        self._left = asyncio.Event()
        self._working: set[anyio.CancelScope] = set()

    async def answer(self, application: Application) -> StreamingHttpResponse:
        """The response as soon as its head is known. Raises what kept it from being made."""
        self._task = asyncio.create_task(self._run(application))
        _running.add(self._task)
        self._task.add_done_callback(_running.discard)
        with ExitStack() as unanswered:
            unanswered.callback(self._stop)
            parts: set[asyncio.Future[Any]] = {self._task, self._head}
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            if not self._head.done():
                await self._task
                raise RuntimeError("MCP's transport ended without an answer.")
            unanswered.pop_all()
        return self._response(self._head.result())

    def _response(self, head: Message) -> StreamingHttpResponse:
        headers = {
            name.decode().lower(): value.decode("latin-1") for name, value in head["headers"]
        }
        return StreamingHttpResponse(
            self,
            status=head["status"],
            content_type=headers.get("content-type", "application/json"),
            headers={name: headers[name] for name in headers if name not in _HOP_BY_HOP},
        )

    async def _run(self, application: Application) -> None:
        async with self._made:
            await application(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head.set_result(message)
        elif body := message.get("body"):
            # Nobody to read it is no error: ``receive`` tells of that, here as in any server.
            with suppress(anyio.BrokenResourceError):
                await self._made.send(body)

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        try:
            async for piece in self._taken:
                yield piece
            await asyncio.wait({self._task})  # to await it would end it with us
            self._task.result()
        finally:
            self._stop()

    @contextmanager
    def while_the_client_stays(self) -> Iterator[None]:
        """A block that ends early, without an error, when the client leaves."""
        with anyio.CancelScope() as scope:
            self._working.add(scope)
            try:
                if self._left.is_set():
                    scope.cancel()
                yield
            finally:
                self._working.discard(scope)

    def close(self) -> None:
        """Django's call, from a thread of its own."""
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        """Nobody waits for this answer any longer. Does nothing when it has ended."""
        self._left.set()
        for scope in tuple(self._working):
            scope.cancel()
        self._taken.close()
