"""Scheduler: who has a slot, who waits for one, and for about how long.

It plans and does not compute; used by the engine's thread alone, but for its counts.
"""

from __future__ import annotations

import heapq
import time

from speech.engine.fair_queue import FairQueue
from speech.engine.sequence import Sequence
from speech.engine.types import Priority

PACE_MEMORY = 0.1
"""The weight of the latest utterance in the mean by which waiting times are told."""


class SlotPool:
    """Slots by number; the lowest free one goes first, so that few running keep to low rows."""

    def __init__(self, slots: int) -> None:
        self._free = list(range(slots))

    def __len__(self) -> int:
        return len(self._free)

    def acquire(self) -> int | None:
        """A free slot, or None."""
        return heapq.heappop(self._free) if self._free else None

    def release(self, slot: int) -> None:
        """Give it back."""
        heapq.heappush(self._free, slot)


class Scheduler:
    """``slots`` places to run in, before them a queue with fair turns.

    Jobs leave the last ``interactive`` slots to people.
    """

    def __init__(self, slots: int, interactive: int = 0) -> None:
        self.resize(slots, interactive)
        self.waiting: FairQueue[Sequence] = FairQueue()
        self.running: dict[Sequence, None] = {}
        self._ahead = 0  # of those who wait, how many nobody waits for yet
        self.beginner: Sequence | None = None  # has a slot and has not had its first step
        self._pace = 0.0  # seconds that an utterance holds its slot, a running mean

    def resize(self, slots: int, interactive: int = 0) -> None:
        """Have so many slots; only while nobody runs."""
        self.slots = slots
        self._interactive = interactive
        self._free = SlotPool(slots)

    def add(self, sequence: Sequence) -> None:
        """Put it into the queue."""
        priority = Priority.JOB if sequence.ahead else sequence.utterance.priority
        self.waiting.add(sequence, priority, sequence.utterance.group)
        self._ahead += sequence.ahead

    @property
    def awaited(self) -> int:
        """How many wait that somebody waits for: what is asked for ahead crowds nobody out."""
        return len(self.waiting) - self._ahead

    def admit(self) -> Sequence | None:
        """Give the next one a slot; None when there is no slot for it, when nobody waits, or while
        another begins: where steps are long, turns must be decided as late as possible."""
        if self.beginner or not self.has_room:
            return None
        sequence = self.waiting.take()
        self._ahead -= sequence.ahead
        sequence.slot = self._free.acquire()
        sequence.admitted = time.monotonic()
        self.running[sequence] = None
        self.beginner = sequence
        return sequence

    @property
    def has_room(self) -> bool:
        """Whether there is somebody next, and a slot for it."""
        if not len(self.waiting):
            return False
        following = self.waiting.peek()
        if following.ahead:  # it may rest in its slot for as long as another is heard
            return len(self._free) > max(1, self._interactive)
        is_job = following.utterance.priority is Priority.JOB
        return len(self._free) > (self._interactive if is_job else 0)

    def hurry(self, sequence: Sequence) -> None:
        """It is no longer made ahead: its own priority counts."""
        if self.waiting.remove(sequence):
            self._ahead -= sequence.ahead
            self.waiting.add(sequence, sequence.utterance.priority, sequence.utterance.group)

    def has_begun(self, sequence: Sequence) -> None:
        """It has had its first step, or needs none any more."""
        if sequence is self.beginner:
            self.beginner = None

    def remove(self, sequence: Sequence) -> None:
        """Take it out of the queue or release its slot."""
        self.has_begun(sequence)
        if sequence in self.running:
            del self.running[sequence]
            assert sequence.slot is not None, "who runs has a slot"
            self._free.release(sequence.slot)
            self._pace += PACE_MEMORY * (time.monotonic() - sequence.admitted - self._pace)
        elif self.waiting.remove(sequence):
            self._ahead -= sequence.ahead

    def longest(self) -> Sequence:
        """The running sequence that holds most: the one with the longest text."""
        return max(self.running, key=lambda sequence: len(sequence.utterance.text))

    def retry_after(self, waiting: int) -> float:
        """Seconds until about so many have had their turn, between 1 and 60."""
        return min(60.0, max(1.0, self._pace * waiting / self.slots))
