"""One accepted TCP connection, and the budget all of them share.

It knows how much is buffered for its client, how much the client has taken, and when that is too
little; it tries to write at once instead of waiting for the event loop's next round. It knows
nothing of HTTP.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet import tcp

from voxplatform.server.limits import Limits


class Budget:
    """Bytes buffered for all clients together."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0


class Connection(tcp.Server):
    """Twisted's server-side socket with a small, counted buffer."""

    bufferSize = 16 * 1024  # also what one read takes in

    def __init__(self, sock: socket.socket, *args: Any) -> None:
        super().__init__(sock, *args)
        self.limits: Limits = self.server.limits
        self.budget: Budget = self.server.budget
        self.accepted = 0
        self._counted = 0
        self._corked = False
        self._mark: tuple[float, int] | None = None
        # Without this the kernel buffers megabytes for a client that does not read, and the
        # application learns of it only then.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, self.limits.send_bytes)

    @property
    def held(self) -> int:
        """Bytes written by the application that the kernel has not taken yet."""
        buffered: int = len(self.dataBuffer) - self.offset + self._tempDataLen
        return buffered

    def _isSendBufferFull(self) -> bool:
        return self.held > self.limits.send_bytes or self.budget.used > self.budget.limit

    def cork(self) -> None:
        """Collect what is written, until `flush`."""
        self._corked = True

    def flush(self) -> None:
        """Send what was collected, now; what the kernel does not take waits for the event loop."""
        self._corked = False
        if self.held:
            self.doWrite()  # an error comes back when the event loop tries again
        if self.held or self.disconnecting or self._writeDisconnecting:
            self.startWriting()

    def startWriting(self) -> None:
        self._count()
        if not self._corked:
            super().startWriting()

    def doWrite(self) -> Any:
        why = super().doWrite()
        self._count()
        return why

    def writeSomeData(self, data: bytes) -> Any:
        taken = super().writeSomeData(data)
        if isinstance(taken, int):
            self.accepted += taken
        return taken

    def stopWriting(self) -> None:
        super().stopWriting()
        self._count()

    def _count(self) -> None:
        held = 0 if self.disconnected else self.held
        self.budget.used += held - self._counted
        self._counted = held

    def stalled(self, now: float) -> bool:
        """Whether the client has been behind for a whole period and took next to nothing."""
        if not self.held:
            self._mark = None
            return False
        if self._mark is None:
            self._mark = (now, self.accepted)
        since, accepted = self._mark
        if now - since < self.limits.stall_seconds:
            return False
        self._mark = (now, self.accepted)
        return self.accepted - accepted < self.limits.stall_rate * self.limits.stall_seconds

    def reset_on_exit(self) -> None:
        """Make the end of this process a reset for the client, never a clean end of its stream."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Port(tcp.Port):
    """The listening socket; its connections share its limits and its budget."""

    transport = Connection

    def share(self, limits: Limits) -> None:
        """Set what every connection accepted from now on is bounded by."""
        self.limits = limits
        self.budget = Budget(limits.send_budget)
