"""Bell: wakes the coroutines of one event loop from other threads, all of them by one wake-up.

A wake-up is a write to the loop's own pipe and costs more than the chunk it announces. Knows
nothing of streams.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from contextlib import suppress


class Bell:
    """Sets the events of one loop; those rung before the loop turns are set together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._lock = threading.Lock()
        self._rung: set[asyncio.Event] = set()

    def ring(self, event: asyncio.Event) -> None:
        """Set ``event`` on its loop, soon. From any thread."""
        with self._lock:
            first = not self._rung
            self._rung.add(event)
        loop = self._loop()
        # The loop may close while the engine still speaks: then nobody is left to wake.
        if first and loop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            rung, self._rung = self._rung, set()
        for event in rung:
            event.set()


_bells: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Bell] = weakref.WeakKeyDictionary()


def bell_of(loop: asyncio.AbstractEventLoop) -> Bell:
    """The one bell of ``loop``; to be asked for on the loop's own thread."""
    return _bells.setdefault(loop, Bell(loop))
