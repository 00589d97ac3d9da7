"""An engine that speaks for all at once, without a model: what the batched loop is shown with.

Every patch of an utterance is one level, told by its text, its seed and its place, so that a
listener hears at once if it is somebody else's, was skipped or comes twice. Faults are functions
that are called before a call of the runner.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from speech.engine.batches import BatchLoop
from speech.engine.errors import InvalidUtterance
from speech.engine.loop import LoopEngine
from speech.engine.types import Ability, EngineInfo, EngineState, FinishReason

RATE = 16_000
PATCH = 1280


def level(text, seed, index):
    """What patch ``index`` sounds like."""
    return np.float32((hash((text, seed, index)) % 10_000 + 100) / 20_000)


def expected(text, seed, patches):
    return np.repeat([level(text, seed, index) for index in range(patches)], PATCH)


@dataclass(frozen=True)
class Laid:
    text: str
    seed: int
    tokens: tuple
    max_patches: int
    length: int


@dataclass
class Patch:
    slot: int
    samples: np.ndarray
    reason: FinishReason | None

    @property
    def last(self):
        return self.reason is not None


@dataclass
class Slot:
    prompt: Laid
    unread: int
    emitted: int = 0
    advanced: int = 0


@dataclass
class Runner:
    """``patches`` says how many patches a text takes; ``calls`` is what was asked, in order."""

    slots: int = 8
    step_seconds: float = 0.0
    faults: dict = field(default_factory=dict)
    patches: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    held: dict = field(default_factory=dict)
    draws: list = field(default_factory=list)

    def _called(self, name, slots, **more):
        self.calls.append((name, tuple(slots)))
        if name in self.faults:
            self.faults[name](slots, **more)
        time.sleep(self.step_seconds)

    def load(self):
        self._called("load", ())

    def unload(self):
        self._called("unload", ())

    def prepare(self, utterance, seed):
        text = utterance.text
        if text == "unspeakable":
            raise InvalidUtterance("This cannot be said.")
        self.draws.append((text, seed))
        length = self.patches.get(text, len(text))
        if callable(length):
            length = length(sum(drawn == text for drawn, _ in self.draws))
        most = 6 * len(text.encode()) + 10  # a tokenizer may spell a sign in bytes
        asked = utterance.params.max_new_tokens
        return Laid(text, seed, tuple(text), min(most, asked or most), length)

    def begin(self, slot, prompt):
        self._called("begin", (slot,), prompt=prompt)
        assert slot not in self.held, "a slot is released before it is given again"
        self.held[slot] = Slot(prompt, len(prompt.tokens))

    def prefill(self, slots, budget):
        self._called("prefill", slots)
        ready = []
        for slot in slots:
            take = min(budget, self.held[slot].unread)
            budget -= take
            self.held[slot].unread -= take
            if take and not self.held[slot].unread:
                ready.append(slot)
        return ready

    def emit(self, slots):
        self._called("emit", slots)
        return [self._patch(slot, self.held[slot]) for slot in slots]

    def _patch(self, slot, held):
        assert held.unread == 0 and held.emitted == held.advanced
        prompt, index = held.prompt, held.emitted
        held.emitted += 1
        reason = None
        if held.emitted == prompt.length:
            reason = FinishReason.STOP
        elif held.emitted == prompt.max_patches:
            reason = FinishReason.LENGTH
        samples = np.full(PATCH, level(prompt.text, prompt.seed, index), np.float32)
        if "spoil" in self.faults:
            samples = self.faults["spoil"](held, samples)
        return Patch(slot, samples, reason)

    def advance(self, slots):
        self._called("advance", slots)
        for slot in slots:
            self.held[slot].advanced += 1

    def release(self, slot):
        self._called("release", (slot,))
        self.held.pop(slot, None)


class PatchEngine(BatchLoop, LoopEngine):
    def __init__(self, runner, *, prefill_tokens=512, prefill_passes=2, interactive=0, **options):
        super().__init__(RATE, **options)
        self._runner = runner
        self._prefill_tokens, self._prefill_passes = prefill_tokens, prefill_passes
        self._interactive = interactive

    info = EngineInfo(
        engine="patches",
        names=("patches",),
        sample_rate=RATE,
        languages=("mul",),
        abilities=frozenset({Ability.SEED, Ability.MAX_NEW_TOKENS}),
        ceiling_base=34 * PATCH / RATE,
        ceiling_per_character=6 * PATCH / RATE,
    )

    def _load(self):
        self._runner.load()

    def _unload(self):
        self._runner.unload()

    def _model_changed(self):
        if self._model.state is EngineState.READY:
            self._scheduler.resize(self._runner.slots, self._interactive)
        super()._model_changed()
