"""Sequence: an utterance in flight, from the queue to its last chunk.

Owned by the engine's thread from the moment it is submitted; knows nothing of how audio is made.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import partial

from speech.engine.guard import OutputGuard
from speech.engine.stream import Stream
from speech.engine.types import Utterance


class SequenceStatus(Enum):
    """WAITING for a slot, RUNNING in one, PARKED in one until its reader catches up, FINISHED."""

    WAITING = auto()
    RUNNING = auto()
    PARKED = auto()
    FINISHED = auto()


class Sequence:
    """One utterance, its stream and its place in the engine."""

    def __init__(
        self,
        utterance: Utterance,
        on_cancel: Callable[[Sequence], None],
        on_take: Callable[[Sequence, int], None],
        on_hurry: Callable[[Sequence], None],
    ) -> None:
        self.utterance = utterance
        self.stream = Stream(
            partial(on_cancel, self), partial(on_take, self), partial(on_hurry, self)
        )
        self.status = SequenceStatus.WAITING
        self.submitted = time.monotonic()
        self.ahead = utterance.ahead
        self.attempts = 0
        self.slot: int | None = None
        self.seed = self._first_seed()
        self.admitted = 0.0  # since when it has a slot
        # Set by the engine when an attempt begins:
        self.steps: Iterator[None] = iter(())
        self.guard = OutputGuard(1)
        self.limit = 0  # samples it may make
        self.samples = 0  # made so far
        self.patches = 0  # likewise, where audio comes in patches
        self.due = 0.0  # when the next step is to run
        self.parked = 0.0  # since when it is parked
        self.resume_below = 0  # samples left to its reader when it may go on

    @property
    def has_caught_up(self) -> bool:
        """It is parked, and its reader has taken enough."""
        return self.status is SequenceStatus.PARKED and self.stream.buffered < self.resume_below

    def _first_seed(self) -> int:
        given = self.utterance.params.seed
        return random.getrandbits(31) if given is None else given

    @property
    def may_retry(self) -> bool:
        """Nothing has left yet, and the caller has not asked for exactly this attempt."""
        params = self.utterance.params
        chosen = params.seed is not None and not params.drawn
        return self.attempts == 1 and not self.guard.started and not chosen

    def reseed(self) -> None:
        """Another draw for the second attempt."""
        self.seed = random.getrandbits(31)
