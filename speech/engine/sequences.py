"""SequenceLoop: the life of every utterance in flight, from the queue to its end, on one thread.

It admits from the queue, parks who runs ahead of its reader and ends what must end. When whose
step is taken is the business of its heirs, one for engines that speak for each utterance alone and
one for those that speak for all at once; it knows nothing of models and their loading.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import partial

from speech.engine.errors import (
    EngineError,
    EngineUnavailable,
    ReaderStalled,
)
from speech.engine.guard import BadAudio, OutputGuard
from speech.engine.lookahead import Lookahead
from speech.engine.scheduler import Scheduler
from speech.engine.sequence import Sequence, SequenceStatus
from speech.engine.types import Ability, AudioChunk, EngineInfo, FinishReason, Utterance
from speech.engine.worker import Worker

log = logging.getLogger(__name__)

BUFFER_BYTES = 16 * 1024 * 1024
"""What all streams of an engine together may hold in audio that nobody has taken yet."""

SHORTEST_LOOKAHEAD = 0.25
"""Seconds every stream may run ahead of its reader, however many there are."""

MEMORY_ERRORS = (3, 60.0)
"""So many steps out of memory within so many seconds, and the model is given up."""


class DeviceLost(Exception):
    """The device is beyond use: every later step would fail as well."""


class SequenceLoop(ABC):
    """A worker, a scheduler and the life of the sequences between them.

    Everything belongs to the worker's thread, but for what says that it is called on another.
    """

    longest_lookahead = 2.0
    """Seconds a stream may run ahead of its reader while there is room."""

    def __init__(
        self, sample_rate: int, *, slots: int, queue_seconds: float, park_seconds: float
    ) -> None:
        self.step_started: float | None = None
        self._queue_seconds = queue_seconds
        self._park_seconds = park_seconds
        self._memory_errors: list[float] = []
        self._scheduler = Scheduler(slots)
        self._lookahead = Lookahead(
            BUFFER_BYTES // 4,
            shortest=round(SHORTEST_LOOKAHEAD * sample_rate),
            longest=round(self.longest_lookahead * sample_rate),
        )
        self._worker = Worker("engine")

    # -- what an heir adds

    @property
    @abstractmethod
    def info(self) -> EngineInfo:
        """What the engine is."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether the model can take steps."""

    @abstractmethod
    def _fail_engine(self, reason: str) -> None:
        """The model is lost, with all that is in flight."""

    @abstractmethod
    def _waited_too_long(self) -> EngineUnavailable:
        """What to tell somebody who was not served in time, and when to try again."""

    @abstractmethod
    def _admit(self) -> None:
        """Give free slots to those who wait, now or soon."""

    @abstractmethod
    def _begin(self, sequence: Sequence) -> None:
        """Start an attempt of a sequence that has a slot."""

    @abstractmethod
    def _resume(self, sequence: Sequence) -> None:
        """Let it run again after a rest."""

    @abstractmethod
    def _release(self, sequence: Sequence) -> None:
        """It ends: forget what an attempt holds, before others get its slot."""

    def _longest(self, utterance: Utterance) -> float:
        """Seconds of audio after which the utterance is ended with ``FinishReason.LENGTH``."""
        return self.info.ceiling(utterance.text)

    def _shortest(self, utterance: Utterance) -> float:
        """Seconds of audio below which the utterance cannot have been spoken in full."""
        return 0.0

    # -- from the queue to a slot

    def _enqueue(self, sequence: Sequence) -> None:
        self._scheduler.add(sequence)
        self._admit()
        if sequence.status is SequenceStatus.WAITING and not sequence.ahead:
            deadline = sequence.submitted + self._queue_seconds
            self._worker.at(deadline, partial(self._expire, sequence))

    def _expire(self, sequence: Sequence) -> None:
        if sequence.status is SequenceStatus.WAITING:
            self._finish(sequence, self._waited_too_long())

    # -- its audio

    def _prepare(self, sequence: Sequence) -> None:
        """Make it ready for an attempt."""
        utterance = sequence.utterance
        sequence.status = SequenceStatus.RUNNING
        sequence.attempts += 1
        sequence.samples = sequence.patches = 0
        shortest = self._shortest(utterance)
        sequence.guard = OutputGuard(self.info.sample_rate, shortest, whole=utterance.whole)
        sequence.limit = int(self._longest(utterance) * self.info.sample_rate)

    def _emit(self, sequence: Sequence, chunk: AudioChunk) -> bool:
        """Hand audio over; False when no more is wanted. Raises BadAudio."""
        room = sequence.limit - sequence.samples
        if len(chunk.samples) > room:
            chunk = AudioChunk(chunk.samples[:room], chunk.marks)
        sequence.samples += len(chunk.samples)
        self._hand_over(sequence, sequence.guard.admit(chunk))
        return sequence.samples < sequence.limit and not sequence.stream.cancelled

    def _hand_over(self, sequence: Sequence, chunks: Iterable[AudioChunk]) -> None:
        for chunk in chunks:
            if Ability.SEED in self.info.abilities:
                sequence.stream.seed = sequence.seed
            if sequence.stream.put(chunk):
                self._lookahead.put(len(chunk.samples))

    def _complete(self, sequence: Sequence, reason: FinishReason = FinishReason.STOP) -> None:
        """All of it was made. Raises BadAudio."""
        chunks = sequence.guard.close(complete=reason is FinishReason.STOP)
        self._hand_over(sequence, chunks)
        self._finish(sequence, reason=reason)

    # -- rests

    def _window(self) -> int:
        """Samples that a stream may hold now."""
        return self._lookahead.window(len(self._scheduler.running))

    def _park(self, sequence: Sequence) -> None:
        sequence.resume_below = self._window() // 2
        sequence.status = SequenceStatus.PARKED
        self._watch(sequence)
        # Its reader may have taken the last chunk just before it could see the new status.
        self._unpark(sequence)

    def _watch(self, sequence: Sequence) -> None:
        """Give up who stays parked for too long."""
        sequence.parked = time.monotonic()
        expire = partial(self._give_up, sequence, sequence.parked)
        self._worker.at(sequence.parked + self._park_seconds, expire)

    def _unpark(self, sequence: Sequence) -> None:
        if sequence.has_caught_up:
            sequence.status = SequenceStatus.RUNNING
            self._resume(sequence)

    def _taken(self, sequence: Sequence, samples: int) -> None:
        """Audio has left the buffer. Called on the reader's thread."""
        self._lookahead.take(samples)
        if sequence.has_caught_up:
            self._worker.do(partial(self._unpark, sequence))

    def _give_up(self, sequence: Sequence, parked: float) -> None:
        stalls = sequence.status is SequenceStatus.PARKED and sequence.parked == parked
        if stalls and not sequence.ahead:
            self._finish(sequence, ReaderStalled("The audio was not taken for too long."))

    def _hurried(self, sequence: Sequence) -> None:
        """Somebody listens to what was made ahead. Called on the reader's thread."""
        self._worker.do(partial(self._hurry, sequence))

    def _hurry(self, sequence: Sequence) -> None:
        if not sequence.ahead:
            return
        waits = sequence.status is SequenceStatus.WAITING
        if waits:
            self._scheduler.hurry(sequence)
        sequence.ahead = False
        if waits:
            self._worker.at(time.monotonic() + self._queue_seconds, partial(self._expire, sequence))
            self._admit()
        elif sequence.status is SequenceStatus.PARKED:
            self._watch(sequence)

    # -- how it ends

    def _finish(
        self,
        sequence: Sequence,
        error: EngineError | None = None,
        reason: FinishReason = FinishReason.STOP,
    ) -> None:
        if sequence.status is SequenceStatus.FINISHED:
            return
        sequence.status = SequenceStatus.FINISHED
        self._release(sequence)
        self._scheduler.remove(sequence)
        sequence.stream.finish(error, reason)
        self._admit()

    def _leave(self, sequence: Sequence) -> None:
        """The reader has left. Called on its thread."""
        self._worker.do(partial(self._finish, sequence))

    def _retry(self, sequence: Sequence, error: BadAudio) -> None:
        """Another draw may do better; the caller who chose the seed gets what it gives."""
        log.warning("The engine made bad audio: %s", error.detail)
        if sequence.may_retry:
            sequence.reseed()
            self._begin(sequence)
        else:
            self._finish(sequence, error)

    def _relieve(self, victim: Sequence | None = None) -> None:
        """Out of memory: give up ``victim``, else the longest utterance, and go on; if that does
        not help, all."""
        limit, window = MEMORY_ERRORS
        now = time.monotonic()
        self._memory_errors = [at for at in self._memory_errors if now - at < window] + [now]
        if len(self._memory_errors) >= limit:
            self._fail_engine("The model ran out of memory again and again.")
            return
        error = EngineUnavailable("The engine ran out of memory; try again.")
        self._finish(victim or self._scheduler.longest(), error)
