"""Bell: calls an event loop from other threads, many calls for one wake-up.

Waking a loop is a write to a socket and a fight for the interpreter; on a busy loop most of them
would wake what is awake. Knows nothing of what is called.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

Call = Callable[[], None]

_local = threading.local()


class Bell:
    """The way into one loop: ``ring`` from any thread, what it brings is called on the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[Call] = deque()
        self._is_ringing = False

    @classmethod
    def of_this_loop(cls) -> Bell:
        """The one bell of the loop that runs here."""
        loop = asyncio.get_running_loop()
        bell: Bell | None = getattr(_local, "bell", None)
        if bell is None or bell._loop is not loop:
            bell = _local.bell = cls(loop)
        return bell

    def ring(self, call: Call) -> None:
        """Have it called soon, in the order rung. A loop that is closed hears nothing."""
        self._calls.append(call)
        if not self._is_ringing:
            self._wake()

    def _wake(self) -> None:
        self._is_ringing = True
        # The loop may close while an engine still speaks: then nobody is left to wake.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        # First of all: what is added from here on rings again, so nothing is left lying.
        self._is_ringing = False
        try:
            for _ in range(len(self._calls)):
                self._calls.popleft()()
        finally:
            if self._calls:
                self._wake()  # one that fails must not take the others with it
