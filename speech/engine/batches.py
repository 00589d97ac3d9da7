"""BatchLoop: gives all utterances in flight one step together, on one thread.

For engines whose model speaks for many at once: it decides who is in a step, and a Runner takes
the step. Knows nothing of tensors, models or their loading.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sized
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from speech.engine.errors import EngineError, SynthesisFailed
from speech.engine.guard import BadAudio
from speech.engine.sequence import Sequence, SequenceStatus
from speech.engine.sequences import DeviceLost, SequenceLoop
from speech.engine.types import AudioChunk, FinishReason, Samples, Utterance

log = logging.getLogger(__name__)

BEGIN_SECONDS = 0.02
"""Newcomers begin one after the other for so long; then those who run get a step."""

STEP_ERRORS = 3
"""So many steps in a row that fail, and the model is given up."""

RUNAWAY = 10
"""Who comes this near to the ceiling of its text has lost the thread: it lies ten patches above
what no sound take reaches."""


class Prompt(Protocol):
    """An utterance as the model will read it."""

    @property
    def tokens(self) -> Sized:
        """The positions to take in before the first patch."""

    @property
    def max_patches(self) -> int:
        """The ceiling: of the text, or of what was asked for where that is lower."""


class Patch(Protocol):
    """What one step makes for one slot; ``reason`` says why it is the last."""

    @property
    def slot(self) -> int: ...
    @property
    def samples(self) -> Samples: ...
    @property
    def last(self) -> bool: ...
    @property
    def reason(self) -> FinishReason | None: ...


P = TypeVar("P", bound=Prompt)


class Runner(Protocol[P]):
    """The network, as far as the loop needs it. One thread at a time, but for ``prepare``.

    What raises DeviceLost is beyond use; MemoryError lets the same call be made again for fewer;
    EngineError is meant for clients; anything else fails the call and no later one.
    """

    @property
    def slots(self) -> int:
        """How many a step can speak for, once the model is loaded."""

    @property
    def prefill_budget(self) -> tuple[int, int]:
        """The most positions of a pass over prompts, and the most passes between two steps."""

    @property
    def notice(self) -> str:
        """What the loaded model runs otherwise than was asked for."""

    def load(self) -> None:
        """Make the model ready. Raises EngineUnavailable with a sentence that says why not."""

    def forget(self, voice: str) -> None:
        """Keep nothing of this voice; see ``Engine.forget``."""

    def unload(self) -> None:
        """Give its memory back. Idempotent."""

    def prepare(self, utterance: Utterance, seed: int) -> P:
        """Lay the utterance out. Raises InvalidUtterance or UnsupportedByEngine. Any thread."""

    def begin(self, slot: int, prompt: P) -> None:
        """Set a slot's state, its voice included."""

    def prefill(self, slots: list[int], budget: int) -> list[int]:
        """Take in up to ``budget`` positions, first come first; the slots that are now ready."""

    def emit(self, slots: list[int]) -> list[Any]:
        """The next Patch of each slot."""

    def advance(self, slots: list[int]) -> None:
        """Move on to the next patch, after ``emit``."""

    def release(self, slot: int) -> None:
        """Forget what is in it."""


class BatchLoop(SequenceLoop, Generic[P]):
    """One turn is one call of the runner for many; between two turns the inbox is looked at.

    An heir sets ``_runner`` before it starts, and the two limits when the model is loaded.
    """

    _runner: Runner[P]
    _prefill_tokens: int
    _prefill_passes: int

    def __init__(self, sample_rate: int, **options: Any) -> None:
        super().__init__(sample_rate, **options)
        # By slot: who has begun, who is still being read in, who has a patch to move on from.
        self._held: dict[int, tuple[Sequence, P]] = {}
        self._reading: dict[int, P] = {}
        self._owing: list[int] = []
        self._passes = 0  # over prompts, since those who speak had a step
        self._failures = 0  # steps in a row
        self._awake = False

    # -- turns

    def _admit(self) -> None:
        """Whoever waits gets a slot in the next turn, as late as can be: so turns stay fair."""
        if not self._awake and self._is_ready():
            self._awake = True
            self._worker.at(time.monotonic(), self._turn)

    def _resume(self, sequence: Sequence) -> None:
        self._admit()

    def _turn(self) -> None:
        self._awake = False
        if not self._is_ready():
            return
        self._begin_some()
        self._worker.empty()  # a voice may have taken long: somebody may have left
        work = self._next()
        if work:
            self._try(work)
        if work or self._scheduler.has_room:
            self._admit()

    def _begin_some(self) -> None:
        """Begin with those whose prompts fit into the passes ahead."""
        until = time.monotonic() + BEGIN_SECONDS
        most = self._prefill_tokens * self._prefill_passes
        while self._is_ready() and self._count_unread() < most:
            sequence = self._scheduler.admit()
            if sequence is None:
                return
            self._begin(sequence)
            if time.monotonic() > until:
                return

    def _count_unread(self) -> int:
        """Positions of those who are being read in; a part of them may be done."""
        return sum(len(prompt.tokens) for prompt in self._reading.values())

    def _next(self) -> Callable[[], None] | None:
        """What to do now: newcomers first, but never for so long that those who speak stall."""
        if self._owing:
            return self._advance
        speaking = self._speaking()
        if self._reading and (self._passes < self._prefill_passes or not speaking):
            return self._prefill
        return partial(self._decode, speaking) if speaking else None

    def _speaking(self) -> list[int]:
        """Slots that are to make their next patch; who runs ahead of its reader is parked."""
        window = self._window()
        speaking = []
        for slot, (sequence, _) in sorted(self._held.items()):
            if slot in self._reading or sequence.status is not SequenceStatus.RUNNING:
                continue
            if sequence.stream.buffered >= window:
                self._park(sequence)
            else:
                speaking.append(slot)
        return speaking

    # -- steps

    def _begin(self, sequence: Sequence) -> None:
        self._prepare(sequence)
        self._try(partial(self._set_up, sequence), sequence)
        self._scheduler.has_begun(sequence)

    def _set_up(self, sequence: Sequence) -> None:
        self._release(sequence)
        if sequence.stream.cancelled or sequence.slot is None:
            return
        prompt = self._runner.prepare(sequence.utterance, sequence.seed)
        self._held[sequence.slot] = sequence, prompt
        self._runner.begin(sequence.slot, prompt)
        self._reading[sequence.slot] = prompt

    def _prefill(self) -> None:
        self._passes += 1
        for slot in self._runner.prefill(list(self._reading), self._prefill_tokens):
            del self._reading[slot]

    def _decode(self, slots: list[int]) -> None:
        self._passes = 0
        patches = self._runner.emit(slots)
        self._owing = [patch.slot for patch in patches if not patch.last]
        for patch in patches:
            self._deliver(*self._held[patch.slot], patch)
        self._advance()

    def _advance(self) -> None:
        if self._owing:
            self._runner.advance(self._owing)
        self._owing = []
        self._failures = 0

    def _deliver(self, sequence: Sequence, prompt: P, patch: Patch) -> None:
        """Hand a patch over; what is bad about it concerns this sequence alone."""
        sequence.patches += 1
        try:
            self._emit(sequence, AudioChunk(patch.samples))
            if sequence.utterance.whole and sequence.may_retry and _ran_away(sequence, prompt):
                raise BadAudio(f"{sequence.patches} patches and no end")
            if patch.last or sequence.samples >= sequence.limit:
                self._complete(sequence, patch.reason or FinishReason.LENGTH)
        except BadAudio as error:
            self._retry(sequence, error)

    def _release(self, sequence: Sequence) -> None:
        slot = sequence.slot
        if slot is None or slot not in self._held:
            return
        del self._held[slot]
        self._reading.pop(slot, None)
        self._owing = [other for other in self._owing if other != slot]
        if self._is_ready():
            self._try(partial(self._runner.release, slot), sequence)

    # -- what goes wrong

    def _try(self, work: Callable[[], None], blamed: Sequence | None = None) -> None:
        """Call the runner; an error is ``blamed``'s alone, or that of all who run."""
        before, self.step_started = self.step_started, time.monotonic()
        try:
            work()
        except DeviceLost as error:
            self._fail_engine(str(error))
        except MemoryError:
            log.warning("The model is out of memory.")
            self._relieve(blamed)
        except EngineError as error:
            self._fail(error, blamed)
        except Exception:
            log.exception("A step failed.")
            self._fail(SynthesisFailed("The engine failed at this text."), blamed)
        finally:
            self.step_started = before

    def _fail(self, error: EngineError, blamed: Sequence | None) -> None:
        if blamed is not None:
            self._finish(blamed, error)
            return
        self._failures += 1
        if self._failures == STEP_ERRORS:
            self._fail_engine("The model failed again and again.")
        for sequence in list(self._scheduler.running):
            self._finish(sequence, error)


def _ran_away(sequence: Sequence, prompt: Prompt) -> bool:
    """Whether it is about to reach the ceiling of its text, not one that was asked for."""
    if sequence.samples >= sequence.limit:
        return True  # of a text with more tokens than characters
    asked = sequence.utterance.params.max_new_tokens
    of_text = asked is None or asked > prompt.max_patches
    return of_text and sequence.patches >= prompt.max_patches - RUNAWAY
