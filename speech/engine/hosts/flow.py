"""How much audio may be on its way to the readers: a window per stream, one budget over all.

Counts samples only. A stream's charge is what it was granted and its reader has not taken: audio
that waits in the host, and audio the child may still send. The engine itself parks a stream whose
credit is spent, so a reader that stops costs one window and no more.
"""

from __future__ import annotations

import threading
import time


class Budget:
    """The most samples that all streams together may be charged with."""

    def __init__(self, samples: int) -> None:
        self._lock = threading.Lock()
        self._limit = samples
        self._charged = 0
        self._flows = 0

    @property
    def charged(self) -> int:
        """Samples granted or waiting at the moment."""
        return self._charged

    def open(self, window: int) -> Flow:
        """The account of a new stream that may hold up to ``window`` samples."""
        with self._lock:
            self._flows += 1
        return Flow(self, self._lock, window)

    def _charge(self, samples: int) -> None:
        self._charged += samples

    def _left(self) -> int:
        return self._limit - self._charged

    def _share(self) -> int:
        return self._limit // max(1, self._flows)

    def _leave(self) -> None:
        self._flows -= 1


class Flow:
    """One stream's account. A chunk may overdraw the credit, never start without any."""

    __slots__ = (
        *("_abandoned", "_ahead", "_budget", "_ended", "_granted", "_lock"),
        *("_received", "_taken", "_touched", "_window"),
    )

    def __init__(self, budget: Budget, lock: threading.Lock, window: int) -> None:
        self._budget = budget
        self._lock = lock
        self._window = window
        self._granted = 0
        self._received = 0
        self._taken = 0
        self._ended = False
        self._abandoned = False
        self._touched = time.monotonic()
        self._ahead = False

    @property
    def parked(self) -> float:
        """Seconds for which audio has waited and the reader has taken none; 0 when none waits, or
        while nobody is to take it yet."""
        waiting = self._received > self._taken and not self._abandoned and not self._ahead
        return time.monotonic() - self._touched if waiting else 0.0

    def wait_for_turn(self) -> None:
        """Nobody is to listen yet."""
        self._ahead = True

    def listen(self) -> None:
        """From now on somebody does."""
        self._touched = time.monotonic()
        self._ahead = False

    def grant(self) -> int:
        """The samples to allow the child now, often 0.

        The window shrinks to an equal share of the budget where there are many. Small amounts are
        saved up, so that there is not a message for every chunk. With the budget spent, a stream
        that holds nothing still gets a single sample, which lets one chunk through: it goes on in
        step with its reader instead of starving behind others.
        """
        with self._lock:
            if self._ended:
                return 0
            charge = self._granted - self._taken
            window = min(self._window, self._budget._share())
            missing = min(window - charge, self._budget._left())
            if charge <= 0:
                missing = max(missing, 1 - charge)
            elif missing < max(1, window // 4):
                return 0
            self._granted += missing
            self._budget._charge(missing)
            return missing

    def receive(self, samples: int) -> None:
        """A chunk has come from the child."""
        with self._lock:
            if self._received <= self._taken:
                self._touched = time.monotonic()
            self._received += samples

    def take(self, samples: int) -> None:
        """The reader has taken a chunk, or thrown away what waited."""
        with self._lock:
            if not self._abandoned:
                self._touched = time.monotonic()
                self._taken += samples
                self._budget._charge(-samples)

    def end(self) -> None:
        """The child sends no more: only what waits for the reader stays charged. Idempotent."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._budget._leave()
                self._budget._charge(self._received - self._granted)
                self._granted = self._received

    def abandon(self) -> None:
        """Nobody reads any more: nothing stays charged, whatever may still come."""
        with self._lock:
            self._budget._charge(self._taken - self._granted)
            if not self._ended:
                self._budget._leave()
            self._ended = self._abandoned = True
            self._granted = self._taken
