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
from typing import Any

from speech.engine.hosts.protocol import TO_HOST, FrameBuffer

_RECEIVE = 256 * 1024
# A child that leaves this much unread is stuck; the heartbeat will tell, memory need not.
_MOST_UNSENT = 64 * 1024 * 1024
_LONGEST_LINE = 64 * 1024

log = logging.getLogger("speech.engine.child")


class Pair:
    """Our half of the connection to one child; ``log_fd`` reads what it writes to stderr."""

    def __init__(self, sock: socket.socket, log_fd: int) -> None:
        sock.setblocking(False)
        os.set_blocking(log_fd, False)
        self._socket = sock
        self._log_fd = log_fd
        self._lock = threading.Lock()
        self._unsent: deque[memoryview] = deque()
        self._unsent_bytes = 0
        self._closed = False
        self._wake_reader, self._wake_writer = os.pipe()
        self._frames = FrameBuffer(TO_HOST)
        self._line = b""
        self._selector = selectors.DefaultSelector()
        for source in (sock, log_fd, self._wake_reader):
            self._selector.register(source, selectors.EVENT_READ)

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
                    os.write(self._wake_writer, b"!")
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
            elif key.fileobj == self._log_fd:
                self.relay_log()
            else:
                os.read(self._wake_reader, 4096)
                self._flush()

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
        if self._log_fd not in self._selector.get_map():
            return False
        try:
            data = os.read(self._log_fd, _RECEIVE)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(self._log_fd)
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
            for descriptor in (self._log_fd, self._wake_reader, self._wake_writer):
                os.close(descriptor)
