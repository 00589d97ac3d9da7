"""Every number the server is bounded by, in one value.

Bytes are bytes and times are seconds. It does not know where a number comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The defaults are the ones the platform documents."""

    body_bytes: int = MIB
    upload_bytes: tuple[tuple[str, int], ...] = ()
    """Larger caps for the paths under a prefix; the first match wins."""
    anonymous_bytes: int = 64 * KIB
    """What is taken in from a request that shows no plausible key or session."""

    request_line_bytes: int = 8 * KIB
    header_bytes: int = 32 * KIB
    header_count: int = 200

    header_seconds: float = 15
    body_seconds: float = 30
    body_rate: int = 16 * KIB
    """Once body_seconds are over, the bytes per second a body must have come in with."""
    idle_seconds: float = 75
    """How long a connection is kept between two requests."""
    linger_seconds: float = 0.5
    linger_bytes: int = 256 * KIB
    """How long, and how much, a refused client may go on sending so that it can read the answer."""

    send_bytes: int = 8 * KIB
    """What is buffered for one client before its application waits."""
    send_budget: int = 16 * MIB
    """The same for all clients together; above it a client that is behind is given nothing more."""
    stall_seconds: float = 30
    stall_rate: int = 256
    """A client that is behind and takes fewer bytes per second for stall_seconds is cut."""

    message_bytes: int = MIB
    queue_bytes: int = 256 * KIB
    queue_messages: int = 64
    """WebSocket messages waiting for the application before the socket is no longer read."""
    lag_seconds: float = 5
    """How long that may last before the sender counts as flooding."""
    frame_rate: int = 100
    frame_burst: int = 500
    """Frames per second, and at once, that one WebSocket may send."""
    message_seconds: float = 30
    ping_seconds: float = 20
    """How often a WebSocket that says nothing is asked whether it is still there."""
    pong_seconds: float = 30
    """How long the answer may take."""

    close_seconds: float = 10
    """What an application is given to end after its client has gone, before it is cancelled."""
    drain_seconds: float = 30

    def body_cap(self, path: str) -> int:
        """The largest body accepted on a path."""
        for prefix, size in self.upload_bytes:
            if path.startswith(prefix):
                return size
        return self.body_bytes
