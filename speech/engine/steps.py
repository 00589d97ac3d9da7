"""StepLoop: gives every utterance in flight a step of its own, in turn.

For engines that speak for each utterance alone. How audio is made is its heirs' business.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Iterator
from functools import partial

from speech.engine.errors import EngineError, SynthesisFailed
from speech.engine.guard import BadAudio
from speech.engine.sequence import Sequence, SequenceStatus
from speech.engine.sequences import DeviceLost, SequenceLoop
from speech.engine.types import FinishReason

log = logging.getLogger(__name__)

FIRST = 0.0
"""A time that is before any other on the monotonic clock."""

_END = object()


class StepLoop(SequenceLoop):
    """Whose step is due, by the clock of each sequence."""

    # -- what an heir adds

    @abstractmethod
    def _speak(self, sequence: Sequence) -> Iterator[None]:
        """Say it: between two ``yield`` lies one step, which hands audio over with ``_emit``."""

    def _pace(self, seconds: float) -> float:
        """How long making ``seconds`` of audio is to take; 0 for as fast as it goes."""
        return 0.0

    # -- its turns

    def _admit(self) -> None:
        if self._is_ready():
            sequence = self._scheduler.admit()
            if sequence is not None:
                self._begin(sequence)

    def _begin(self, sequence: Sequence) -> None:
        self._prepare(sequence)
        sequence.steps = self._speak(sequence)
        sequence.due = time.monotonic()
        # Before all who have had a step: nobody waits as eagerly as for the first sound.
        self._run(sequence, FIRST)

    def _resume(self, sequence: Sequence) -> None:
        sequence.due = time.monotonic()
        self._run(sequence, sequence.due)

    def _release(self, sequence: Sequence) -> None:
        sequence.steps = iter(())

    def _run(self, sequence: Sequence, due: float) -> None:
        """Its next turn comes at ``due``."""
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
            self._relieve()
            if sequence.status is SequenceStatus.RUNNING:
                self._run(sequence, sequence.due)
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
            self._complete(sequence, FinishReason.LENGTH)
        elif went_on:
            pace = self._pace((sequence.samples - before) / self.info.sample_rate)
            sequence.due = sequence.due + pace if pace else time.monotonic()
            self._run(sequence, sequence.due)
        else:
            self._complete(sequence)
