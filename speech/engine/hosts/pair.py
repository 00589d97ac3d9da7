"""The host's end of the socket pair, and the child's log beside it.

Any thread may ``send`` and never waits: what the socket does not take at once is left to the one
thread that calls ``turn``. Knows frames, not what they mean.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from speech.engine.hosts.protocol import TO_HOST, FrameBuffer

_RECEIVE = 256 * 1024
# A child that leaves this much unread is stuck; the heartbeat will tell, memory need not.
_MOST_UNSENT = 64 * 1024 * 1024
_LONGEST_LINE = 64 * 1024

log = logging.getLogger("speech.engine.child")


class Pair:
    """Our half of the connection to one child."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._lock = threading.Lock()
        self._unsent: deque[memoryview] = deque()
        self._unsent_bytes = 0
        self._closed = False
        self._frames = FrameBuffer(TO_HOST)
        self._log: IO[bytes] | None = None
        self._line = b""
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for source in (sock, self._wake_reader):
            self._selector.register(source, selectors.EVENT_READ)

    def follow(self, log: IO[bytes]) -> None:
        """Relay the child's lines from ``log``, which this pair closes."""
        os.set_blocking(log.fileno(), False)
        self._log = log
        self._selector.register(log, selectors.EVENT_READ)

    @property
    def congested(self) -> bool:
        """The child has stopped reading: give it no more work."""
        return self._unsent_bytes > _MOST_UNSENT

    def send(self, frame: bytes) -> None:
        """Send now or, where the socket is full, later, in order. Frames to a dead child vanish."""
        with self._lock:
            if self._closed:
                return
            rest = memoryview(frame)
            if not self._unsent:
                rest = rest[self._write(rest) :]
                if rest:
                    self._wake_writer.send(b"!")
            if rest:
                self._unsent.append(rest)
                self._unsent_bytes += len(rest)

    def _write(self, data: memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            # The child is gone: the reading side sees the end and answers everybody.
            return len(data)

    def _flush(self) -> None:
        with self._lock:
            while self._unsent:
                sent = self._write(self._unsent[0])
                self._unsent_bytes -= sent
                if sent < len(self._unsent[0]):
                    self._unsent[0] = self._unsent[0][sent:]
                    break
                self._unsent.popleft()
            writing = selectors.EVENT_WRITE if self._unsent else 0
        self._selector.modify(self._socket, selectors.EVENT_READ | writing)

    def turn(self, timeout: float) -> Iterator[Any]:
        """Wait for something to happen and give the messages that came.

        Raises EOFError when the child's end is closed, ProtocolError when it talks nonsense.
        """
        for key, events in self._selector.select(timeout):
            if key.fileobj is self._socket:
                if events & selectors.EVENT_WRITE:
                    self._flush()
                if events & selectors.EVENT_READ:
                    yield from self._frames.feed(self._receive())
            elif key.fileobj is self._wake_reader:
                self._wake_reader.recv(1)
                self._flush()
            else:
                self.relay_log()

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(_RECEIVE)
        except BlockingIOError:
            return b""
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError
        return data

    def relay_log(self) -> bool:
        """Pass the child's lines to our log; False when there was nothing to read."""
        if self._log is None:
            return False
        data = self._log.read(_RECEIVE)
        if data is None:
            return False
        if not data:
            self._selector.unregister(self._log)
            self._log.close()
            self._log = None
            return False
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest[-_LONGEST_LINE:]
        for line in lines:
            log.warning("%s", line.decode("utf-8", "replace"))
        return True

    def hang_up(self) -> None:
        """End the conversation from any thread; ``turn`` then raises EOFError."""
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give every descriptor back."""
        with self._lock:
            self._closed = True
            self._unsent.clear()
            self._selector.close()
            self._socket.close()
            self._wake_reader.close()
            self._wake_writer.close()
            if self._log:
                self._log.close()
