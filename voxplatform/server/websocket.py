"""One WebSocket, spoken as ASGI, with a bounded inbox.

When the application lags the socket is no longer read; a peer that goes on flooding, or never ends
its message, is closed with 1008. It does not know what the messages mean.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer

from voxplatform.server import refusals
from voxplatform.server.refusals import Refusal
from voxplatform.server.request import Message
from voxplatform.server.transport import Connection

if TYPE_CHECKING:
    from voxplatform.server.server import Server

_EARLY_BYTES = 64 * 1024
POLICY_VIOLATION = 1008
SERVICE_RESTART = 1012


class WebSocket(WebSocketProtocol):
    """Daphne's WebSocket, bounded in both directions."""

    transport: Connection
    server: Server
    scope: Message

    def begin(self, server: Server, scope: Message) -> None:
        """Set what the upgraded HTTP request knew."""
        self.server, self.scope = server, scope
        self.client_addr = scope["client"]
        self.inbox: deque[Message] = deque()
        self.inbox_bytes = 0
        self.arrived = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.reading = True
        self.lagging_since: float | None = None
        self.message_since: float | None = None
        self.tokens = float(server.limits.frame_burst)
        self.counted_at = time.monotonic()
        self.gone = False
        self.early = b""

    # Handshake

    def dataReceived(self, data: bytes) -> None:
        """Frames sent before the application has accepted wait; Autobahn would misread them."""
        if not hasattr(self, "handshake_deferred") or self.state != self.STATE_CONNECTING:
            super().dataReceived(data)
        elif len(self.early) + len(data) > _EARLY_BYTES:
            self.transport.abortConnection()
        else:
            self.early += data

    def onConnect(self, request: Any) -> Any:
        self.request = request
        self.socket_opened = self.last_ping = time.time()
        self.handshake_deferred = defer.Deferred()
        self.transport.registerProducer(self, True)
        self._deliver({"type": "websocket.connect"})
        offered = request.headers.get("sec-websocket-protocol", "").split(",")
        self.scope["extensions"] = {"websocket.http.response": {}}
        self.scope["subprotocols"] = [name.strip() for name in offered if name.strip()]
        self.server.sockets.add(self)
        self.server.start(self, self.scope)
        return self.handshake_deferred

    def onOpen(self) -> None:
        early, self.early = self.early, b""
        if early:
            self.server.loop.call_soon(self.dataReceived, early)

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        """Refuse in the API's own words; Autobahn's answer has no body."""
        self.wasNotCleanReason = reason
        self.sendData(_refusal(code, reason).render())
        self.dropConnection(abort=False)

    # From the peer

    def onMessageBegin(self, isBinary: bool) -> None:
        self.message_since = time.monotonic()
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length: int) -> None:
        self._count_frame()
        super().onMessageFrameBegin(length)

    def onPing(self, payload: bytes) -> None:
        self._count_frame()
        super().onPing(payload)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.message_since = None
        self.last_ping = time.time()
        if self.muted:
            return
        content = {"bytes": payload} if isBinary else {"text": payload.decode()}
        self._deliver({"type": "websocket.receive", **content}, len(payload))
        limits = self.server.limits
        if self.inbox_bytes > limits.queue_bytes or len(self.inbox) > limits.queue_messages:
            self.lagging_since = self.lagging_since or time.monotonic()
            self.reading = False
            self.transport.pauseProducing()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.gone = True
        self.writable.set()
        self.server.sockets.discard(self)
        self._deliver({"type": "websocket.disconnect", "code": code or 1006})
        self.server.disconnected(self)

    def _deliver(self, message: Message, size: int = 0) -> None:
        self.inbox.append(message)
        self.inbox_bytes += size
        self.arrived.set()

    def _count_frame(self) -> None:
        """Take one frame from what the peer may send; more than that is a flood."""
        now, limits = time.monotonic(), self.server.limits
        gained = (now - self.counted_at) * limits.frame_rate
        self.tokens = min(limits.frame_burst, self.tokens + gained) - 1
        self.counted_at = now
        if self.tokens < 0:
            self.cut("Too many frames.")

    # ASGI

    async def receive(self) -> Message:
        """The next message. Reading goes on when half is left, the lag ends when nothing is."""
        while not self.inbox:
            self.arrived.clear()
            await self.arrived.wait()
        message = self.inbox.popleft()
        self.inbox_bytes -= len(message.get("bytes") or (message.get("text") or "").encode())
        if not self.inbox:
            self.lagging_since = None
        if not self.reading and self._is_half_empty():
            self.reading = True
            if self.writable.is_set():
                self.transport.resumeProducing()
        return message

    def _is_half_empty(self) -> bool:
        limits = self.server.limits
        few = len(self.inbox) <= limits.queue_messages // 2
        return few and self.inbox_bytes <= limits.queue_bytes // 2

    async def send(self, message: Message) -> None:
        """Send a message; returns when the peer may be sent more."""
        if self.gone or self.state in (self.STATE_CLOSING, self.STATE_CLOSED):
            await asyncio.sleep(0)
            return
        if message["type"] == "websocket.http.response.start":
            self._deny(message["status"])
            return
        self.handle_reply(message)
        await self.writable.wait()

    def _deny(self, status: int) -> None:
        """Refuse the handshake with a status of the application's choice."""
        self.handshake_deferred.errback(ConnectionDeny(status, "Not now."))

    def application_done(self, failed: bool) -> None:
        """Close what the application left open."""
        if self.gone:
            return
        if self.state == self.STATE_CONNECTING:
            self.failHandshake("The server had an error.", 500 if failed else 403)
        else:
            self.serverClose(1011 if failed else 1000)

    def serverClose(self, code: int | None = None) -> None:
        """Close with any code; Autobahn's own method refuses the registered ones."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code or 1000)

    def cut(self, why: str) -> None:
        """Close on a peer that breaks the rules, and hear no more of it."""
        if self.state == self.STATE_OPEN:
            self.muted = True
            self.sendCloseFrame(code=POLICY_VIOLATION, reasonUtf8=why.encode())
            self.inbox.clear()

    def restart(self) -> None:
        """Tell the peer to come back, to this server's successor."""
        if self.state == self.STATE_CONNECTING:
            self.failHandshake("The server is shutting down.", 503)
        else:
            self.serverClose(SERVICE_RESTART)

    # The producer's side: the transport says whether the peer keeps up

    def pauseProducing(self) -> None:
        """The peer is behind: send no more, and answer no more pings."""
        self.writable.clear()
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.writable.set()
        if self.reading:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        self.writable.set()

    # Deadlines

    def check(self, now: float) -> None:
        """Ping, and cut a peer that stalls, floods or never ends its message."""
        limits = self.server.limits
        if self.transport.stalled(now):
            self.transport.abortConnection()
        elif self.lagging_since is not None and now - self.lagging_since > limits.lag_seconds:
            self.cut("Messages come faster than they are handled.")
        elif self.message_since is not None and now - self.message_since > limits.message_seconds:
            self.cut("The message was not finished in time.")
        else:
            self.check_timeouts()


def _refusal(code: int, reason: str) -> Refusal:
    if code == 403:
        return refusals.not_allowed(reason)
    if code == 429:
        return refusals.too_many_sockets()
    if code == 503:
        return refusals.shutting_down(1)
    return refusals.INTERNAL_ERROR if code >= 500 else refusals.bad_request(reason)
