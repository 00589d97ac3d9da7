"""One HTTP request and its response, spoken as ASGI.

The body is read from where it was spooled only as the application asks for it, and `send` returns
when the client has kept up. It does not know how requests are parsed or applications are run.
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from twisted.web import http

from voxplatform.server import headers, refusals
from voxplatform.server.refusals import Refusal

if TYPE_CHECKING:
    from voxplatform.server.channel import Channel

Message = dict[str, Any]

_READ_BYTES = 64 * 1024
_SPOOL_BYTES = 128 * 1024


class Request(http.Request):
    """A request that an ASGI application answers through `receive` and `send`."""

    channel: Channel
    content: Any

    def __init__(self, channel: Channel, *args: Any) -> None:
        super().__init__(channel, *args)
        self.server = channel.server
        self.connection = channel.transport
        self.gone = asyncio.Event()
        self.received = 0
        self.handed_over = 0
        self.asked_for_body = False
        self.started = False
        self.cap = 0
        self.over_cap: Refusal = refusals.INTERNAL_ERROR

    # Before the application

    def admit(self, uri: bytes, version: bytes, length: int | None) -> Refusal | None:
        """Look at the headers and decide; only what is let in is told to go on sending.

        A body that is large or waits to be invited needs at least the look of a key or a session:
        without one it is refused here, unread.
        """
        peer = headers.plain_address(self.connection.getPeer().host)
        proxies = self.server.proxies
        raw = self.requestHeaders.getAllRawHeaders()
        self.clean_headers = headers.clean(raw, proxies.trusts(peer))
        client, self.scheme = proxies.client(peer, self.clean_headers)
        self.peer = [client, self.connection.getPeer().port if client == peer else 0]
        path, _, self.query = uri.partition(b"?")
        fault = headers.find_fault(self.clean_headers, version) or _find_fault(path, self.query)
        if fault:
            return refusals.bad_request(fault)
        return self._refuse_while_draining(path) or self._cap_body(path.decode(), length)

    def _refuse_while_draining(self, path: bytes) -> Refusal | None:
        if not self.server.draining or path == b"/livez":
            return None
        reason = "draining" if path == b"/readyz" else None
        return refusals.shutting_down(self.server.limits.drain_seconds, reason)

    def _cap_body(self, path: str, length: int | None) -> Refusal | None:
        limits = self.server.limits
        self.cap = limits.body_cap(path)
        self.over_cap = refusals.too_large(self.cap)
        if length is not None and length > self.cap:
            return self.over_cap
        waits = self.requestHeaders.hasHeader(b"expect")
        may_be_large = length is None or length > limits.anonymous_bytes
        if (waits or may_be_large) and not self.server.plausible(self.clean_headers):
            self.cap = limits.anonymous_bytes
            credentials = self.requestHeaders.getRawHeaders(b"authorization") or [b""]
            self.over_cap = refusals.no_key(shown=len(credentials[0].split()) > 1)
            if waits or length is not None:
                return self.over_cap
        return None

    def parseCookies(self) -> None:
        """Nothing: cookies are the application's to read."""

    def gotLength(self, length: int | None) -> None:
        """Make the place for the body: nameless, so that nothing is left of it in any case."""
        self.content = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.closed:
            return
        self.received += len(data)
        if self.received > self.cap:
            self.channel.refuse(self.over_cap)
        else:
            self.content.write(data)

    def drop_body(self) -> None:
        """Give back what was taken in of a request that is refused."""
        if self.content is not None:  # the headers did not come far enough
            self.content.close()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Hand the complete request to the application. Forms are the application's to parse."""
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.content.seek(0)
        upgrade = self.requestHeaders.getRawHeaders(b"upgrade") or [b""]
        if upgrade[0].lower() == b"websocket" and command == b"GET":
            self.server.upgrade(self)
        else:
            self.server.start(self, self.scope("http"))

    def scope(self, kind: str) -> Message:
        """The ASGI connection scope, for HTTP or for the WebSocket it becomes."""
        host = self.connection.getHost()
        secure = self.scheme == "https"
        scheme = {"http": "https" if secure else "http", "websocket": "wss" if secure else "ws"}
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self.clientproto.rpartition(b"/")[2].decode(),
            "method": self.method.decode(),
            "scheme": scheme[kind],
            "path": unquote(self.path.decode()),
            "raw_path": self.path,
            "query_string": self.query,
            "root_path": "",
            "headers": self.clean_headers,
            "client": self.peer,
            "server": [host.host, host.port],
        }

    # ASGI

    async def receive(self) -> Message:
        """The body piece by piece; after it nothing until the client or the response is gone."""
        if self.gone.is_set() or (self.asked_for_body and self.handed_over >= self.received):
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self.asked_for_body = True
        body = self.content.read(_READ_BYTES)
        self.handed_over += len(body)
        more = self.handed_over < self.received
        if not more:
            self.content.close()  # the answer may take long
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(self, message: Message) -> None:
        """Write a part of the response; returns when the client may be sent more."""
        if self.gone.is_set():
            await asyncio.sleep(0)  # an application that never waits must not stop the server
            return
        if message["type"] == "http.response.start":
            self._start(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body":
            await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise ValueError(f"An HTTP response has no message {message['type']!r}.")

    def _start(self, status: int, fields: Any) -> None:
        if self.started:
            raise RuntimeError("The response has already been started.")
        self.started = True
        self.setResponseCode(status)
        for name, value in fields:
            self.responseHeaders.addRawHeader(name, value)
        if self.server.draining:
            self.channel.persistent = False
        if not self.channel.persistent:
            self.setHeader(b"connection", b"close")

    async def _send_body(self, body: bytes, more: bool) -> None:
        if not self.started:
            raise RuntimeError("The response has not been started.")
        channel, connection = self.channel, self.connection
        connection.cork()
        self.write(body)
        if not more and channel.writable.is_set():
            self.finish()
            connection.flush()
            return
        connection.flush()
        await channel.writable.wait()
        if not more and not self.gone.is_set():
            self.finish()

    @property
    def has_sent_all(self) -> bool:
        """Whether the client has as much as was declared, and so may go on to its next request,
        although the application has yet to say that this was the end."""
        declared = self.responseHeaders.getRawHeaders(b"content-length")
        return bool(declared) and self.sentLength >= int(declared[0])

    def application_done(self, failed: bool) -> None:
        """See to it that a response the application left unfinished does not look complete."""
        if self.gone.is_set():
            return
        if self.startedWriting:
            self.connection.abortConnection()
        else:
            self.channel.refuse(refusals.INTERNAL_ERROR)

    def finish(self) -> None:
        self.gone.set()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self.gone.set()
        self.server.disconnected(self)
        super().connectionLost(reason)


def _find_fault(path: bytes, query: bytes) -> str | None:
    if not path.startswith(b"/"):
        return "The request target must be a path."
    if not (path.isascii() and query.isascii()):
        return "The URL holds characters that must be percent-encoded."
    return None
