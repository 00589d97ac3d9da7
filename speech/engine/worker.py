"""Worker: one thread that does what it is told, at once or at a given time.

What only its actions touch needs no lock. Knows nothing of engines.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from queue import Empty, SimpleQueue

Action = Callable[[], None]


class Worker:
    """An inbox and a heap of due times, served by one daemon thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inbox: SimpleQueue[Action] = SimpleQueue()
        self._timers: list[tuple[float, int, Action]] = []
        self._ticket = count()
        self._thread: threading.Thread | None = None
        self.stopping = threading.Event()

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def start(self, last: Action) -> None:
        """Begin to serve; ``last`` is done on the thread when it is to stop."""
        self.stopping.clear()
        self._thread = threading.Thread(
            target=self._run, args=(last,), name=self._name, daemon=True
        )
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Stop after the action in progress, and wait ``patience`` seconds for that."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self.stopping.set()
            self._inbox.put(lambda: None)
            thread.join(patience)

    def do(self, action: Action) -> None:
        """Have it done as soon as possible, in the order told. From any thread."""
        self._inbox.put(action)

    def at(self, due: float, action: Action) -> None:
        """Have it done at ``due`` (``time.monotonic``). From the thread itself alone."""
        heapq.heappush(self._timers, (due, next(self._ticket), action))

    def empty(self) -> None:
        """Do what was told, without waiting. From the thread, or when it has ended."""
        while True:
            try:
                action = self._inbox.get_nowait()
            except Empty:
                return
            action()

    def _run(self, last: Action) -> None:
        while not self.stopping.is_set():
            self._receive()
            if self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()
        self._timers.clear()
        last()

    def _receive(self) -> None:
        """Do what came in; wait for it until the first timer is due."""
        timeout = self._timers[0][0] - time.monotonic() if self._timers else None
        if timeout is None or timeout > 0:
            try:
                self._inbox.get(timeout=timeout)()
            except Empty:
                return
        self.empty()
