"""LoopEngine: an engine on a step loop, with a model that is loaded and unloaded.

It leaves two things to its heirs: the model (``_load``, ``_unload``) and the loop that speaks.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import TypedDict

from speech.engine.base import Engine
from speech.engine.errors import (
    EngineBusy,
    EngineError,
    EngineUnavailable,
    QueueTimeout,
    UnsupportedByEngine,
)
from speech.engine.lifecycle import Lifecycle
from speech.engine.sequence import Sequence
from speech.engine.sequences import SequenceLoop
from speech.engine.stream import Stream
from speech.engine.types import (
    Ability,
    EngineState,
    EngineStats,
    FinishReason,
    Priority,
    Utterance,
)

log = logging.getLogger(__name__)

NOT_LOADED = "The model is not loaded."

PATIENCE = 10.0
"""Seconds to wait for the engine's thread when it is asked to unload or to stop."""


class LoopOptions(TypedDict, total=False):
    """What may be set on every such engine; the defaults stand at ``LoopEngine``."""

    slots: int
    max_waiting: int
    queue_seconds: float
    park_seconds: float
    idle_seconds: float


class LoopEngine(SequenceLoop, Engine):
    """The engine's face, for any thread: others tell the worker, and read counts and the state.

    Which of the two loops takes the steps, an heir says by inheriting from it as well.
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        slots: int = 256,
        max_waiting: int = 256,
        queue_seconds: float = 20.0,
        park_seconds: float = 30.0,
        idle_seconds: float = 0.0,
    ) -> None:
        """``idle_seconds`` without work unload the model until it is needed again; 0 is never."""
        super().__init__(
            sample_rate, slots=slots, queue_seconds=queue_seconds, park_seconds=park_seconds
        )
        self._max_waiting = max_waiting
        self._idle_seconds = idle_seconds
        self._idle_since = 0.0
        self._watches_idleness = False
        self._arriving: dict[Sequence, None] = {}  # submitted, not yet seen by the thread
        self._model = Lifecycle(self._worker, self._load, self._model_changed)

    # -- what an heir adds

    @abstractmethod
    def _load(self) -> None:
        """Make the model ready, on a thread of its own. Raises EngineError with the reason."""

    @abstractmethod
    def _unload(self) -> None:
        """Give the model's memory back."""

    def _examine(self, utterance: Utterance) -> None:
        """Raise InvalidUtterance or UnsupportedByEngine. Called from any thread."""
        voice = utterance.voice
        abilities = self.info.abilities
        if voice and (voice.reference or voice.prompt) and Ability.CLONE not in abilities:
            raise UnsupportedByEngine("This model cannot clone a voice; voxcpm2 can.", "voice")
        if voice and voice.description and Ability.DESIGN not in abilities:
            raise UnsupportedByEngine("This model cannot design a voice; voxcpm2 can.", "voice")

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
        if self._is_full(self._count_waiting()):
            raise self._busy()

    def submit(self, utterance: Utterance) -> Stream:
        sequence = Sequence(utterance, self._leave, self._taken, self._hurried)
        self._arriving[sequence] = None
        self._worker.do(partial(self._arrive, sequence))
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

    def _arrive(self, sequence: Sequence) -> None:
        del self._arriving[sequence]
        if self._model.is_down:
            self._finish(sequence, self._model.error())
            return
        if self._is_crowded_out(sequence):
            self._finish(sequence, self._busy())
            return
        if self._model.state is EngineState.COLD:
            self._model.load()
        self._enqueue(sequence)

    def _is_crowded_out(self, sequence: Sequence) -> bool:
        """Between ``check`` and ``submit`` others have taken the last places."""
        continues = sequence.ahead or sequence.utterance.priority is Priority.CONTINUATION
        return not continues and self._is_full(self._scheduler.awaited)

    def _is_full(self, waiting: int) -> bool:
        """Those who are about to get a free slot do not count as waiting."""
        scheduler = self._scheduler
        return waiting >= self._max_waiting + scheduler.slots - len(scheduler.running)

    def _busy(self) -> EngineBusy:
        wait = self._scheduler.retry_after(self._count_waiting())
        return EngineBusy("Too many requests are waiting to be spoken.", wait)

    def _count_waiting(self) -> int:
        return self._scheduler.awaited + len(self._arriving)

    # -- the model

    def _is_ready(self) -> bool:
        return self._model.state is EngineState.READY

    def _waited_too_long(self) -> EngineUnavailable:
        if self._model.state is EngineState.LOADING:
            seconds = self._model.load_seconds or self._queue_seconds
            return EngineUnavailable(self._model.reason, min(60.0, max(1.0, seconds)))
        wait = self._scheduler.retry_after(self._count_waiting())
        return QueueTimeout("The engine had no time for this request.", wait)

    def _model_changed(self) -> None:
        if self._model.is_down:
            self._fail_all()
        self._admit()
        self._idle()

    def _end(self) -> None:
        self._model.to(EngineState.STOPPED, "The engine has been stopped.")
        self._fail_all()
        self._worker.empty()
        self._unload()

    def _answer_unload(self, answer: Future[None]) -> None:
        if self._is_at_work():
            answer.set_exception(EngineBusy("The engine is at work; it cannot be unloaded now."))
            return
        self._cool_down()
        answer.set_result(None)

    def _cool_down(self) -> None:
        if self._model.state is EngineState.READY:
            self._unload()
            self._model.to(EngineState.COLD, NOT_LOADED)

    def _finish(
        self,
        sequence: Sequence,
        error: EngineError | None = None,
        reason: FinishReason = FinishReason.STOP,
    ) -> None:
        super()._finish(sequence, error, reason)
        self._idle()

    def _idle(self) -> None:
        """Something has ended; it may have been the last for long."""
        self._idle_since = time.monotonic()
        if self._idle_seconds and not self._watches_idleness:
            self._watches_idleness = True
            self._worker.at(self._idle_since + self._idle_seconds, self._unload_idle)

    def _unload_idle(self) -> None:
        self._watches_idleness = False
        if self._is_at_work():
            return  # its end will come by here
        due = self._idle_since + self._idle_seconds
        if time.monotonic() >= due:
            self._cool_down()
        else:
            self._watches_idleness = True
            self._worker.at(due, self._unload_idle)

    def _is_at_work(self) -> bool:
        scheduler = self._scheduler
        loading = self._model.state is EngineState.LOADING
        return loading or bool(scheduler.running) or len(scheduler.waiting) > 0

    def _fail_engine(self, reason: str) -> None:
        log.error("The engine has failed: %s", reason)
        self._model.to(EngineState.FAILED, reason)
        self._fail_all()

    def _fail_all(self) -> None:
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            self._finish(sequence, self._model.error())
