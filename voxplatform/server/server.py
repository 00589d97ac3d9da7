"""The process that serves: start, listen, run applications, sweep deadlines, drain, stop.

It speaks to an ASGI application and to nothing else; which requests look as if they had a key is
asked of a function it is given.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from daphne.server import Server as DaphneServer  # installs the reactor: before all of Twisted
from daphne.ws_protocol import WebSocketFactory
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from voxplatform.server.channel import Channel, ChannelFactory
from voxplatform.server.headers import Headers, TrustedProxies
from voxplatform.server.lifespan import Lifespan, StartupFailed
from voxplatform.server.limits import Limits
from voxplatform.server.request import Request
from voxplatform.server.transport import Port
from voxplatform.server.websocket import WebSocket

logger = logging.getLogger(__name__)

_BACKLOG = 1024
_SWEEP_SECONDS = 0.25
_JOIN_SECONDS = 5
# After each write to a socket the loop has to get its turn back from threads that compute.
_SWITCH_SECONDS = 0.001


class CannotServe(Exception):
    """The server cannot start; the message is one sentence for the person who started it."""


class Server(DaphneServer):
    """Daphne's server with the platform's connections, life cycle and drain."""

    def __init__(
        self,
        application: Any,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        limits: Limits | None = None,
        plausible: Callable[[Headers], bool] = lambda headers: False,
        trusted_proxies: Iterable[str] = (),
        ready: Callable[[str, int], None] = lambda host, port: None,
    ) -> None:
        """`plausible` looks at the headers of a large request; `ready` is told the address."""
        self.limits = limits or Limits()
        super().__init__(
            application,
            endpoints=[f"tcp:{port}"],
            signal_handlers=False,
            ping_interval=self.limits.ping_seconds,
            ping_timeout=self.limits.pong_seconds,
        )
        self.host, self.port_number, self.ready = host, port, ready
        self.plausible = plausible
        self.proxies = TrustedProxies(trusted_proxies)
        self.lifespan = Lifespan(application)
        self.loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
        self.context = contextvars.copy_context()
        self.stopping = asyncio.Event()
        self.draining = False
        self.port: Port | None = None
        self.channels: set[Channel] = set()
        self.sockets: set[WebSocket] = set()
        self.applications: dict[Any, asyncio.Task[None]] = {}

    # Life

    def run(self) -> None:
        """Serve until a signal says otherwise; raises CannotServe."""
        asyncio.set_event_loop(self.loop)
        globalLogBeginner.beginLoggingTo(
            [lambda event: None], redirectStandardIO=False, discardBuffer=True
        )
        self.ws_factory = WebSocketFactory(self, server="")
        self.ws_factory.protocol = WebSocket
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.limits.message_bytes,
            maxFramePayloadSize=self.limits.message_bytes,
            failByDrop=False,  # a close frame that says why, then the drop
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, self._on_signal)
        self.main = self.loop.create_task(self._main())
        reactor.run(installSignalHandlers=False)
        self.main.result()

    async def _main(self) -> None:
        try:
            with self._bind() as listener:
                await self.lifespan.startup()
                gc.freeze()  # what the start made stays: no collection need look through it again
                self.port = self._listen(listener)
                self.ready(*listener.getsockname()[:2])
            sweeper = asyncio.create_task(self._sweep())
            await self.stopping.wait()
            await self._drain(self.port)
            sweeper.cancel()
        except StartupFailed as error:
            raise CannotServe(str(error)) from error
        except asyncio.CancelledError:
            logger.info("Stopped while starting.")
        finally:
            await self.lifespan.shutdown(self.limits.close_seconds)
            reactor.stop()

    def _bind(self) -> socket.socket:
        """Take the address before anything slow starts, so that a taken one is told at once."""
        try:
            family, _, _, _, address = socket.getaddrinfo(
                self.host, self.port_number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind(address)
        except OSError as error:
            reason = error.strerror or str(error)
            raise CannotServe(
                f"Cannot listen on {self.host} port {self.port_number}: {reason}. "
                "Choose another address with HOST and PORT."
            ) from error
        return listener

    def _listen(self, listener: socket.socket) -> Port:
        listener.listen(_BACKLOG)
        port: Port = Port._fromListeningDescriptor(
            reactor, listener.fileno(), listener.family, ChannelFactory(self)
        )
        port.share(self.limits)
        port.startListening()
        return port

    def _on_signal(self) -> None:
        if self.stopping.is_set():
            self._leave_at_once()
        self.stopping.set()
        if self.port is None:
            self.main.cancel()

    def _leave_at_once(self) -> None:
        """End the process; what streams is reset, for a clean end would look complete."""
        for open_one in self._open():
            open_one.transport.reset_on_exit()
        logging.shutdown()
        sys.stdout.flush()
        os._exit(1)

    # Drain

    @property
    def busy(self) -> bool:
        """Whether anything that was let in is still running."""
        channels = any(channel.busy for channel in self.channels)
        return channels or bool(self.sockets) or bool(self.applications)

    async def _drain(self, port: Port) -> None:
        """Let what runs finish within the time there is; answer whatever is new with a 503."""
        self.draining = True
        logger.info("Draining for up to %s seconds.", self.limits.drain_seconds)
        for web_socket in list(self.sockets):
            web_socket.restart()
        for channel in list(self.channels):
            channel.close_if_idle()
        await self._wait_until_idle(self.limits.drain_seconds)
        port.stopListening()
        # Out of time is our fault: the application ends what still runs before it can see a
        # connection go, which it would take for a client that has left.
        await self.lifespan.shutdown(self.limits.close_seconds)
        for open_one in self._open():
            open_one.transport.abortConnection()
        await self._wait_until_idle(self.limits.close_seconds)
        for task in list(self.applications.values()):
            task.cancel()
        await self._wait_until_idle(self.limits.close_seconds)

    async def _wait_until_idle(self, seconds: float) -> None:
        deadline = self.loop.time() + seconds
        while self.busy and self.loop.time() < deadline:
            await asyncio.sleep(0.02)

    # Applications

    def start(self, protocol: Request | WebSocket, scope: dict[str, Any]) -> None:
        """Run the application for one request or WebSocket."""
        scope["state"] = self.lifespan.state.copy()
        coroutine = self.application(scope, protocol.receive, protocol.send)
        # The event loop calls us in the context of whoever registered the socket last, which may
        # be the request before on the same connection: its variables are not this one's.
        task = self.loop.create_task(coroutine, context=self.context.copy())
        self.applications[protocol] = task
        task.add_done_callback(partial(self._application_done, protocol))

    def _application_done(self, protocol: Any, task: asyncio.Task[None]) -> None:
        del self.applications[protocol]
        error = None if task.cancelled() else task.exception()
        if error:
            logger.error("The application raised %r.", error, exc_info=error)
        protocol.application_done(failed=error is not None)

    def disconnected(self, protocol: Any) -> None:
        """Give an application whose client has gone a moment to notice, then cancel it."""
        task = self.applications.get(protocol)
        if task:
            timer = self.loop.call_later(self.limits.close_seconds, task.cancel)
            task.add_done_callback(lambda task: timer.cancel())

    def upgrade(self, request: Request) -> None:
        """Turn the connection of an HTTP request into a WebSocket."""
        connection, channel = request.connection, request.channel
        web_socket = self.ws_factory.buildProtocol(connection.getPeer())
        web_socket.begin(self, request.scope("websocket"))
        self.channels.discard(channel)
        request.drop_body()
        connection.unregisterProducer()
        connection.protocol = web_socket
        web_socket.makeConnection(connection)
        fields = [b"%s: %s\r\n" % field for field in request.clean_headers]
        web_socket.dataReceived(b"GET %s HTTP/1.1\r\n%s\r\n" % (request.uri, b"".join(fields)))
        frames = channel.clearLineBuffer()
        if frames:
            web_socket.dataReceived(frames)

    def protocol_disconnected(self, protocol: Any) -> None:
        """Daphne's name for the end of a rejected WebSocket; `disconnected` sees to it."""

    def _open(self) -> list[Channel | WebSocket]:
        return [*self.channels, *self.sockets]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = time.monotonic()
            for open_one in self._open():
                self.loop.call_soon(open_one.check, now)  # one that fails must not end the sweep


def serve(application: Any, **options: Any) -> None:
    """Run a Server with these options in this process until it is told to stop."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setswitchinterval(_SWITCH_SECONDS)
    Server(application, **options).run()
    # A view that still runs in a worker thread must not keep the process: the interpreter would
    # wait for it without end.
    watchdog = threading.Timer(_JOIN_SECONDS, os._exit, [0])
    watchdog.daemon = True
    watchdog.start()
