"""Lookahead: how far streams may run ahead of their readers, all together within one budget.

Counts what is buffered, of finished streams too, until a reader takes it or leaves. A stream that
is neither read nor cancelled keeps its share.
"""

from __future__ import annotations

import threading


class Lookahead:
    """Counts in samples; ``put`` and ``take`` may be called from any thread."""

    def __init__(self, budget: int, shortest: int, longest: int) -> None:
        """Every stream may hold ``shortest`` samples, and at most ``longest``; what is more than
        the shortest comes out of the ``budget``."""
        self._lock = threading.Lock()
        self._budget = budget
        self._shortest = shortest
        self._longest = longest
        self._held = 0

    @property
    def held(self) -> int:
        """Samples that are buffered now."""
        return self._held

    def put(self, samples: int) -> None:
        """So many were buffered."""
        with self._lock:
            self._held += samples

    def take(self, samples: int) -> None:
        """So many have left, read or thrown away."""
        with self._lock:
            self._held -= samples

    def window(self, running: int) -> int:
        """What one of ``running`` streams may hold now."""
        share = (self._budget - self._held) // max(1, running)
        return max(self._shortest, min(self._longest, share))
