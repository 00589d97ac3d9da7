"""One HTTP connection: the parsing of requests, with a cap and a deadline on every part of it.

Twisted parses; this class decides how much and how long, and answers what breaks a rule with a
refusal. It does not know what a request asks for.
"""

from __future__ import annotations

import asyncio
import math
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from twisted.internet import protocol
from twisted.web import http

from voxplatform.server import refusals
from voxplatform.server.refusals import Refusal
from voxplatform.server.request import Request
from voxplatform.server.transport import Connection

if TYPE_CHECKING:
    from voxplatform.server.server import Server

_MOST_LENGTH_DIGITS = 18
_PIPELINED_BYTES = 16 * 1024


class Phase(Enum):
    """What a connection is waiting for."""

    IDLE = auto()
    HEADERS = auto()
    BODY = auto()
    RESPONSE = auto()
    REFUSED = auto()


class Channel(http.HTTPChannel):
    """Twisted's HTTP/1.1 connection, bounded."""

    requestFactory = Request
    factory = None  # Twisted would format a line of an access log for it
    timeOut = None  # deadlines are swept, not timed one by one
    transport: Connection

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        self.limits = server.limits
        self.maxHeaders = self.limits.header_count
        self.totalHeadersSize = self.limits.header_bytes
        self.phase = Phase.HEADERS
        self.deadline = time.monotonic() + self.limits.header_seconds
        self.silent = True
        self.discarded = 0
        self.writable = asyncio.Event()
        self.writable.set()

    def connectionMade(self) -> None:
        super().connectionMade()
        self.server.channels.add(self)

    def connectionLost(self, reason: Any) -> None:
        self.server.channels.discard(self)
        self.writable.set()
        super().connectionLost(reason)

    # What comes in

    def dataReceived(self, data: bytes) -> None:
        if self.phase is Phase.REFUSED:
            self._discard(data)
            return
        self.silent = False
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEADERS, self.limits.header_seconds)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if self.phase is Phase.REFUSED:
            return
        if not self.requests and len(line) > self.limits.request_line_bytes:
            self.refuse(refusals.URL_TOO_LONG)
        elif self._receivedHeaderSize + len(line) > self.limits.header_bytes:
            self.refuse(refusals.HEADERS_TOO_LARGE)
        elif self.requests and line[:1] in (b" ", b"\t"):
            self.refuse(refusals.bad_request("A header is folded over two lines."))
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(refusals.HEADERS_TOO_LARGE if self.requests else refusals.URL_TOO_LONG)

    def headerReceived(self, line: bytes) -> bool:
        if self._receivedHeaderCount >= self.maxHeaders:
            self.refuse(refusals.HEADERS_TOO_LARGE)
        return self.phase is not Phase.REFUSED and bool(super().headerReceived(line))

    def _maybeChooseTransferDecoder(self, header: bytes, data: bytes) -> bool:
        if header == b"Content-Length" and len(data) > _MOST_LENGTH_DIGITS:
            self.refuse(refusals.too_large(self.limits.body_bytes))
            return False
        return bool(super()._maybeChooseTransferDecoder(header, data))

    def allHeadersReceived(self) -> None:
        if self.phase is Phase.REFUSED:
            return
        request = self.requests[-1]
        refusal = request.admit(self._path, self._version, self.length)
        if refusal:
            self.refuse(refusal)
            return
        self._enter(Phase.BODY, self.limits.body_seconds)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self._sends_on(len(data)):
            # Twisted would stop reading here and no longer see the client leave.
            self.transport.abortConnection()
        elif self.phase is not Phase.REFUSED:
            super().rawDataReceived(data)

    def _sends_on(self, more: int) -> bool:
        """Whether the client sends much while it is answered. After the last byte that it was
        promised it may: the application is only about to end."""
        if self.phase is not Phase.RESPONSE or self.requests[0].has_sent_all:
            return False
        return sum(map(len, self._dataBuffer)) + more > _PIPELINED_BYTES

    def allContentReceived(self) -> None:
        if self.phase is not Phase.REFUSED:
            self._enter(Phase.RESPONSE, math.inf)
            super().allContentReceived()

    # What goes out

    def requestDone(self, request: Request) -> None:
        self._enter(Phase.IDLE, self.limits.idle_seconds)
        super().requestDone(request)

    def pauseProducing(self) -> None:
        self.writable.clear()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self.writable.set()

    def refuse(self, refusal: Refusal) -> None:
        """Answer in place of the application and close, but let the client read the answer.

        Closing with unread bytes in the socket resets the connection and may take the answer with
        it, so what still comes is thrown away for a moment.
        """
        if self.phase is Phase.REFUSED:
            return
        self._enter(Phase.REFUSED, self.limits.linger_seconds)
        self.clearLineBuffer()
        self._dataBuffer.clear()
        for request in self.requests:
            request.drop_body()
        self.transport.write(refusal.render())
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(refusals.bad_request("The request is not valid HTTP."))

    def _discard(self, data: bytes) -> None:
        self.discarded += len(data)
        if self.discarded > self.limits.linger_bytes:
            self.transport.pauseProducing()

    # Deadlines

    def _enter(self, phase: Phase, seconds: float) -> None:
        self.phase = phase
        self.deadline = time.monotonic() + seconds

    def check(self, now: float) -> None:
        """Cut or answer the client when it has used up its time."""
        if self.transport.stalled(now):
            self.transport.abortConnection()
        elif now >= self.deadline:
            self._expire(now)

    def _expire(self, now: float) -> None:
        if self.phase is Phase.BODY:
            late = now - self.deadline
            if self.requests[-1].received < late * self.limits.body_rate:
                self.refuse(refusals.REQUEST_TIMEOUT)
        elif self.phase is Phase.HEADERS and not self.silent:
            self.refuse(refusals.REQUEST_TIMEOUT)
        elif self.transport.held:
            self.transport.abortConnection()
        else:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    @property
    def busy(self) -> bool:
        """Whether a request has been let in and is not answered yet."""
        return self.phase in (Phase.BODY, Phase.RESPONSE)

    def close_if_idle(self) -> None:
        """Close a connection that is kept for a next request."""
        if self.phase is Phase.IDLE:
            self.loseConnection()


class ChannelFactory(protocol.ServerFactory):
    """Builds the channel of each accepted connection."""

    noisy = False

    def __init__(self, server: Server) -> None:
        self.server = server

    def buildProtocol(self, addr: Any) -> Channel:
        return Channel(self.server)
