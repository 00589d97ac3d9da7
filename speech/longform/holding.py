"""A job in a runner's hands: which of its segments comes next.

Where a voice is nobody's, one segment is said first and the others go on in its voice, so that
those wait for it. Knows nothing of the engine; used on the runner's loop alone.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

from speech.engine.types import VoicePrompt
from speech.job_models import Job


class Holding:
    """A claimed job, its pending segments in order, and those that are being said."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.in_flight: set[int] = set()
        self.drawn: set[str] = set()  # voices of which each segment would sound like another
        self.takes: dict[str, VoicePrompt] = {}
        self.not_before = 0.0
        self.served = 0.0
        self.lost = False  # paused, cancelled, or somebody else's
        self.is_stopping = False  # nothing more is begun
        self._leading: dict[int, str] = {}
        self._pending: deque[tuple[int, str]] = deque()

    @property
    def account_id(self) -> int:
        return self.job.account_id

    def fill(self, pending: Iterable[tuple[int, str]]) -> None:
        """What is still to be said, by id and voice, in order."""
        self._pending = deque(item for item in pending if item[0] not in self.in_flight)

    @property
    def is_over(self) -> bool:
        """Nothing is being said, and nothing is to be begun."""
        begins_none = self.lost or self.is_stopping or not self._pending
        return begins_none and not self.in_flight

    @property
    def has_next(self) -> bool:
        """Whether a segment could be begun now."""
        if self.lost or self.is_stopping or time.monotonic() < self.not_before:
            return False
        return self._place() is not None

    def take_next(self) -> tuple[int, str]:
        """The next segment, now in flight."""
        place = self._place()
        assert place is not None, "has_next comes first"
        segment, voice = self._pending[place]
        del self._pending[place]
        if self._is_led(voice):
            self._leading[segment] = voice
        self.in_flight.add(segment)
        self.served = time.monotonic()
        return segment, voice

    def put_back(self, segment: int, voice: str, seconds: float = 0.0) -> None:
        """It could not be said now; with ``seconds`` the whole job rests for a while."""
        self._pending.appendleft((segment, voice))
        self.not_before = max(self.not_before, time.monotonic() + seconds)

    def land(self, segment: int) -> None:
        """It is no longer in flight, however it went."""
        self.in_flight.discard(segment)
        self._leading.pop(segment, None)

    def leads(self, segment: int) -> bool:
        """Whether others wait for it to have a voice to go on in."""
        return segment in self._leading and self._is_led(self._leading[segment])

    def _is_led(self, voice: str) -> bool:
        return voice in self.drawn and voice not in self.takes

    def _place(self) -> int | None:
        for place, (_, voice) in enumerate(self._pending):
            if not self._is_led(voice) or voice not in self._leading.values():
                return place
        return None
