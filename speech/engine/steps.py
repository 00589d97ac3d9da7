"""StepLoop: gives every utterance in flight a step in turn, on one thread.

It admits from the queue, parks who runs ahead of its reader and ends what must end. How audio is
made is its heirs' business; it knows nothing of models and their loading.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial

from speech.engine.errors import (
    EngineError,
    EngineUnavailable,
    ReaderStalled,
    SynthesisFailed,
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

FIRST = 0.0
"""A time that is before any other on the monotonic clock."""

_END = object()


class DeviceLost(Exception):
    """The device is beyond use: every later step would fail as well."""


class StepLoop(ABC):
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
    def _speak(self, sequence: Sequence) -> Iterator[None]:
        """Say it: between two ``yield`` lies one step, which hands audio over with ``_emit``."""

    def _longest(self, utterance: Utterance) -> float:
        """Seconds of audio after which the utterance is ended with ``FinishReason.LENGTH``."""
        return self.info.ceiling(utterance.text)

    def _shortest(self, utterance: Utterance) -> float:
        """Seconds of audio below which the utterance cannot have been spoken in full."""
        return 0.0

    def _pace(self, seconds: float) -> float:
        """How long making ``seconds`` of audio is to take; 0 for as fast as it goes."""
        return 0.0

    # -- from the queue to a slot

    def _enqueue(self, sequence: Sequence) -> None:
        self._scheduler.add(sequence)
        self._admit()
        if sequence.status is SequenceStatus.WAITING:
            deadline = sequence.submitted + self._queue_seconds
            self._worker.at(deadline, partial(self._expire, sequence))

    def _admit(self) -> None:
        if self._is_ready():
            sequence = self._scheduler.admit()
            if sequence is not None:
                self._begin(sequence)

    def _expire(self, sequence: Sequence) -> None:
        if sequence.status is SequenceStatus.WAITING:
            self._finish(sequence, self._waited_too_long())

    # -- its turns

    def _begin(self, sequence: Sequence) -> None:
        """Start an attempt."""
        utterance = sequence.utterance
        sequence.attempts += 1
        sequence.samples = 0
        sequence.guard = OutputGuard(self.info.sample_rate, self._shortest(utterance))
        sequence.limit = int(self._longest(utterance) * self.info.sample_rate)
        sequence.steps = self._speak(sequence)
        sequence.due = time.monotonic()
        # Before all who have had a step: nobody waits as eagerly as for the first sound.
        self._run(sequence, FIRST)

    def _run(self, sequence: Sequence, due: float) -> None:
        """Its next turn comes at ``due``."""
        sequence.status = SequenceStatus.RUNNING
        self._worker.at(due, partial(self._turn, sequence))

    def _turn(self, sequence: Sequence) -> None:
        """One turn of a running sequence: a step, or a rest until its reader has caught up."""
        if sequence.status is not SequenceStatus.RUNNING:
            return
        if sequence.stream.buffered >= self._window():
            self._park(sequence)
            return
        self.step_started = time.monotonic()
        try:
            self._step(sequence)
        except BadAudio as error:
            self._retry(sequence, error)
        except EngineError as error:
            self._finish(sequence, error)
        except DeviceLost as error:
            self._fail_engine(str(error))
        except MemoryError:
            self._relieve(sequence)
        except Exception:
            log.exception("A step failed.")
            self._finish(sequence, SynthesisFailed("The engine failed at this text."))
        finally:
            self.step_started = None
            self._scheduler.has_begun(sequence)
            self._admit()

    def _step(self, sequence: Sequence) -> None:
        """One step, and what follows from it."""
        before = sequence.samples
        went_on = next(sequence.steps, _END) is not _END
        if sequence.samples >= sequence.limit:
            sequence.guard.close(complete=False)
            self._finish(sequence, reason=FinishReason.LENGTH)
        elif went_on:
            pace = self._pace((sequence.samples - before) / self.info.sample_rate)
            sequence.due = sequence.due + pace if pace else time.monotonic()
            self._run(sequence, sequence.due)
        else:
            sequence.guard.close()
            self._finish(sequence)

    def _emit(self, sequence: Sequence, chunk: AudioChunk) -> bool:
        """Hand audio over; False when no more is wanted. Raises BadAudio."""
        room = sequence.limit - sequence.samples
        if len(chunk.samples) > room:
            chunk = AudioChunk(chunk.samples[:room], chunk.marks)
        sequence.samples += len(chunk.samples)
        for admitted in sequence.guard.admit(chunk):
            if Ability.SEED in self.info.abilities:
                sequence.stream.seed = sequence.seed
            if sequence.stream.put(admitted):
                self._lookahead.put(len(admitted.samples))
        return sequence.samples < sequence.limit and not sequence.stream.cancelled

    # -- rests

    def _window(self) -> int:
        """Samples that a stream may hold now."""
        return self._lookahead.window(len(self._scheduler.running))

    def _park(self, sequence: Sequence) -> None:
        sequence.resume_below = self._window() // 2
        sequence.parked = time.monotonic()
        sequence.status = SequenceStatus.PARKED
        expire = partial(self._give_up, sequence, sequence.parked)
        self._worker.at(sequence.parked + self._park_seconds, expire)
        # Its reader may have taken the last chunk just before it could see the new status.
        self._unpark(sequence)

    def _unpark(self, sequence: Sequence) -> None:
        if sequence.has_caught_up:
            sequence.due = time.monotonic()
            self._run(sequence, sequence.due)

    def _taken(self, sequence: Sequence, samples: int) -> None:
        """Audio has left the buffer. Called on the reader's thread."""
        self._lookahead.take(samples)
        if sequence.has_caught_up:
            self._worker.do(partial(self._unpark, sequence))

    def _give_up(self, sequence: Sequence, parked: float) -> None:
        if sequence.status is SequenceStatus.PARKED and sequence.parked == parked:
            self._finish(sequence, ReaderStalled("The audio was not taken for too long."))

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
        sequence.steps = iter(())
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

    def _relieve(self, sequence: Sequence) -> None:
        """Out of memory: give up the longest utterance and go on; if that does not help, all."""
        limit, window = MEMORY_ERRORS
        now = time.monotonic()
        self._memory_errors = [at for at in self._memory_errors if now - at < window] + [now]
        if len(self._memory_errors) >= limit:
            self._fail_engine("The model ran out of memory again and again.")
            return
        error = EngineUnavailable("The engine ran out of memory; try again.")
        self._finish(self._scheduler.longest(), error)
        if sequence.status is not SequenceStatus.FINISHED:
            self._run(sequence, sequence.due)
