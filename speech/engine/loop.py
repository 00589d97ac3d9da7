"""LoopEngine: an engine whose one thread gives every utterance in flight a step in turn.

It keeps the queue, the slots, the clock and the state, and leaves two things to its heirs: the
model (``_load``, ``_unload``) and the audio (``_speak``). Knows nothing of either.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial

from speech.engine.base import Engine
from speech.engine.errors import (
    EngineBusy,
    EngineError,
    EngineUnavailable,
    QueueTimeout,
    ReaderStalled,
    SynthesisFailed,
    UnsupportedByEngine,
)
from speech.engine.guard import BadAudio, OutputGuard
from speech.engine.lifecycle import Lifecycle
from speech.engine.scheduler import Scheduler
from speech.engine.sequence import Sequence, SequenceStatus
from speech.engine.stream import Stream
from speech.engine.types import (
    Ability,
    AudioChunk,
    EngineState,
    EngineStats,
    FinishReason,
    Utterance,
)
from speech.engine.worker import Worker

log = logging.getLogger(__name__)

NOT_LOADED = "The model is not loaded."

BUFFER_BYTES = 24 * 1024 * 1024
"""What all streams of an engine together may hold in audio that nobody has taken yet."""

SHORTEST_LOOKAHEAD = 0.25
"""Seconds every stream may run ahead of its reader, however many there are."""

MEMORY_ERRORS = (3, 60.0)
"""So many steps out of memory within so many seconds, and the model is given up."""

PATIENCE = 10.0
"""Seconds to wait for the engine's thread when it is asked to unload or to stop."""


_END = object()


class DeviceLost(Exception):
    """The device is beyond use: every later step would fail as well."""


class LoopEngine(Engine):
    """One thread, an inbox, a heap of due times; several thousand steps a second.

    Everything belongs to the thread; others tell the worker, and read counts and the state.
    """

    longest_lookahead = 2.0
    """Seconds a stream may run ahead of its reader while there are few."""

    def __init__(
        self,
        *,
        slots: int = 256,
        max_waiting: int = 256,
        queue_seconds: float = 20.0,
        park_seconds: float = 30.0,
    ) -> None:
        self.step_started: float | None = None
        self._max_waiting = max_waiting
        self._queue_seconds = queue_seconds
        self._park_seconds = park_seconds
        self._memory_errors: list[float] = []
        self._scheduler = Scheduler(slots)
        self._arriving: dict[Sequence, None] = {}  # submitted, not yet seen by the thread
        self._worker = Worker("engine")
        self._model = Lifecycle(self._worker, self._load, self._model_changed)

    # -- what an heir adds

    @abstractmethod
    def _load(self) -> None:
        """Make the model ready, on a thread of its own. Raises EngineError with the reason."""

    @abstractmethod
    def _unload(self) -> None:
        """Give the model's memory back."""

    @abstractmethod
    def _speak(self, sequence: Sequence) -> Iterator[None]:
        """Say it: between two ``yield`` lies one step, which hands audio over with ``_emit``."""

    def _examine(self, utterance: Utterance) -> None:
        """Raise InvalidUtterance or UnsupportedByEngine. Called from any thread."""
        voice = utterance.voice
        abilities = self.info.abilities
        if voice and (voice.reference or voice.prompt) and Ability.CLONE not in abilities:
            raise UnsupportedByEngine("This model cannot clone a voice from a recording.", "voice")
        if voice and voice.description and Ability.DESIGN not in abilities:
            raise UnsupportedByEngine("This model cannot design a voice from words.", "voice")

    def _longest(self, utterance: Utterance) -> float:
        """Seconds of audio after which the utterance is ended with ``FinishReason.LENGTH``."""
        return self.info.ceiling(utterance.text)

    def _shortest(self, utterance: Utterance) -> float:
        """Seconds of audio below which the utterance cannot have been spoken in full."""
        return 0.0

    def _pace(self, seconds: float) -> float:
        """How long making ``seconds`` of audio is to take; 0 for as fast as it goes."""
        return 0.0

    # -- the engine's face, for any thread

    def start(self) -> None:
        if not self._worker.is_started:
            self._model.to(EngineState.COLD, NOT_LOADED)
            self._worker.start(last=self._end)
            self.load()

    def stop(self) -> None:
        self._worker.stop(PATIENCE)

    def load(self) -> None:
        self._worker.do(self._model.load)

    def unload(self) -> None:
        if not self._worker.is_started:
            return
        answer: Future[None] = Future()
        self._worker.do(partial(self._answer_unload, answer))
        try:
            answer.result(PATIENCE)
        except FutureTimeout:
            raise EngineUnavailable("The engine does not answer.") from None

    def check(self, utterance: Utterance) -> None:
        self._examine(utterance)
        if self._model.is_down:
            raise self._model.error()
        waiting = self._count_waiting()
        if waiting >= self._max_waiting:
            raise EngineBusy(
                "Too many requests are waiting to be spoken.",
                retry_after=self._scheduler.retry_after(waiting),
            )

    def submit(self, utterance: Utterance) -> Stream:
        sequence = Sequence(utterance, self._leave, self._taken)
        self._arriving[sequence] = None
        self._worker.do(partial(self._enqueue, sequence))
        if self._model.state is EngineState.STOPPED:
            # The thread has done its last; the refusal falls to the caller's.
            self._worker.empty()
        return sequence.stream

    def stats(self) -> EngineStats:
        return EngineStats(
            state=self._model.state,
            reason=self._model.reason,
            waiting=self._count_waiting(),
            running=len(self._scheduler.running),
            slots=self._scheduler.slots,
            load_seconds=self._model.load_seconds,
        )

    def _count_waiting(self) -> int:
        return len(self._scheduler.waiting) + len(self._arriving)

    # -- the model

    def _model_changed(self) -> None:
        if self._model.state is EngineState.FAILED:
            self._fail_all(self._model.error())
        self._admit()

    def _end(self) -> None:
        self._model.to(EngineState.STOPPED, "The engine has been stopped.")
        self._fail_all(self._model.error())
        self._worker.empty()
        self._unload()

    def _answer_unload(self, answer: Future[None]) -> None:
        if self._is_at_work():
            answer.set_exception(EngineBusy("The engine is at work; it cannot be unloaded now."))
            return
        if self._model.state is EngineState.READY:
            self._unload()
            self._model.to(EngineState.COLD, NOT_LOADED)
        answer.set_result(None)

    def _is_at_work(self) -> bool:
        scheduler = self._scheduler
        loading = self._model.state is EngineState.LOADING
        return loading or bool(scheduler.running) or len(scheduler.waiting) > 0

    def _fail_engine(self, reason: str) -> None:
        log.error("The engine has failed: %s", reason)
        self._model.to(EngineState.FAILED, reason)
        self._fail_all(self._model.error())

    def _fail_all(self, error: EngineError) -> None:
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            self._finish(sequence, error)

    # -- a sequence's life

    def _enqueue(self, sequence: Sequence) -> None:
        del self._arriving[sequence]
        if self._model.is_down:
            self._finish(sequence, self._model.error())
            return
        if self._model.state is EngineState.COLD:
            self._model.load()
        self._scheduler.add(sequence)
        self._admit()
        if sequence.status is SequenceStatus.WAITING:
            self._worker.at(
                sequence.submitted + self._queue_seconds, partial(self._expire, sequence)
            )

    def _admit(self) -> None:
        while self._model.state is EngineState.READY:
            sequence = self._scheduler.admit()
            if sequence is None:
                return
            self._begin(sequence)

    def _begin(self, sequence: Sequence) -> None:
        """Start an attempt."""
        utterance = sequence.utterance
        sequence.attempts += 1
        sequence.samples = 0
        sequence.guard = OutputGuard(self.info.sample_rate, self._shortest(utterance))
        sequence.limit = int(self._longest(utterance) * self.info.sample_rate)
        sequence.steps = self._speak(sequence)
        self._resume(sequence)

    def _resume(self, sequence: Sequence) -> None:
        if sequence.status is SequenceStatus.FINISHED:
            return
        sequence.status = SequenceStatus.RUNNING
        sequence.due = time.monotonic()
        self._worker.at(sequence.due, partial(self._turn, sequence))

    def _turn(self, sequence: Sequence) -> None:
        """One turn of a running sequence: a step, or a rest until its reader has caught up."""
        if sequence.status is not SequenceStatus.RUNNING:
            return
        if sequence.stream.buffered >= self._lookahead():
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

    def _step(self, sequence: Sequence) -> None:
        """One step, and what follows from it."""
        before = sequence.samples
        went_on = next(sequence.steps, _END) is not _END
        if sequence.samples >= sequence.limit:
            sequence.guard.close(complete=False)
            self._finish(sequence, reason=FinishReason.LENGTH)
        elif went_on:
            made = sequence.samples - before
            sequence.due += self._pace(made / self.info.sample_rate)
            self._worker.at(sequence.due, partial(self._turn, sequence))
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
            sequence.stream.put(admitted)
        return sequence.samples < sequence.limit and not sequence.stream.cancelled

    def _lookahead(self) -> int:
        """Samples a stream may hold: few streams two seconds, many a fair part of the budget."""
        rate = self.info.sample_rate
        share = BUFFER_BYTES // (4 * max(1, len(self._scheduler.running)))
        return int(max(SHORTEST_LOOKAHEAD * rate, min(share, self.longest_lookahead * rate)))

    def _park(self, sequence: Sequence) -> None:
        sequence.resume_below = max(1, self._lookahead() // 2)
        sequence.parked = time.monotonic()
        sequence.status = SequenceStatus.PARKED
        expire = partial(self._give_up, sequence, sequence.parked)
        self._worker.at(sequence.parked + self._park_seconds, expire)
        # Its reader may have taken the last chunk just before it could see the new status.
        self._unpark(sequence)

    def _unpark(self, sequence: Sequence) -> None:
        if sequence.has_caught_up:
            self._resume(sequence)

    def _taken(self, sequence: Sequence) -> None:
        """Audio has left the buffer. Called on the reader's thread."""
        if sequence.has_caught_up:
            self._worker.do(partial(self._unpark, sequence))

    # -- how a sequence ends

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

    def _expire(self, sequence: Sequence) -> None:
        if sequence.status is SequenceStatus.WAITING:
            retry_after = self._scheduler.retry_after(self._count_waiting())
            if self._model.state is EngineState.LOADING and self._model.load_seconds:
                retry_after = min(60.0, max(1.0, self._model.load_seconds))
            error = QueueTimeout("The engine had no time for this request.", retry_after)
            self._finish(sequence, error)

    def _give_up(self, sequence: Sequence, parked: float) -> None:
        if sequence.status is SequenceStatus.PARKED and sequence.parked == parked:
            self._finish(sequence, ReaderStalled("The audio was not taken for too long."))

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
        self._resume(sequence)
