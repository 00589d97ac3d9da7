"""VoxCPMEngine: the batched loop, with VoxCPM's network as its runner.

Knows of a checkpoint what its files say; torch comes with the model, when it is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from speech.engine.batches import BatchLoop, Runner
from speech.engine.errors import EngineUnavailable, InvalidUtterance
from speech.engine.loop import LoopEngine
from speech.engine.sequence import Sequence
from speech.engine.types import Ability, EngineInfo, EngineState, EngineStats, Utterance
from speech.engine.voxcpm.checkpoint import KNOWN, Checkpoint, usable_checkpoint
from speech.engine.voxcpm.config import VoxCPMConfig

FRAME_SECONDS = 0.04
"""A latent frame's audio, in all three models."""

SPINS = "3000"
"""How long torch's threads turn while they wait for each other. By default it is milliseconds, so
that beside other busy processes a step takes twenty times as long; alone this costs little."""

PATCHES_PER_CHARACTER = 6
MORE_PATCHES = 34
"""The package's ceiling is 6 patches a token and 10; no more tokens than characters, and bytes of
those signs that its tokenizer spells, but for the few that the shortest texts have more."""

COMMON = frozenset(
    {
        Ability.CLONE,
        Ability.SEED,
        Ability.CFG_VALUE,
        Ability.INFERENCE_TIMESTEPS,
        Ability.MAX_NEW_TOKENS,
    }
)
ABILITIES = {
    "voxcpm": COMMON,
    "voxcpm2": COMMON | {Ability.DESIGN, Ability.INSTRUCTIONS},
}
LANGUAGES = {
    "voxcpm": ("zh", "en"),
    "voxcpm2": tuple(
        "ar my zh da nl en fi fr de el he hi id it ja km ko lo ms no pl pt ru es sw sv tl th tr vi"
        " yue".split()
    ),
}


class VoxCPMEngine(BatchLoop[Any], LoopEngine):
    """Speaks with the checkpoint in the directory ``model``; options are VoxCPMConfig's."""

    def __init__(
        self,
        *,
        max_waiting: int = 256,
        queue_seconds: float = 20.0,
        park_seconds: float = 30.0,
        **options: Any,
    ) -> None:
        """Raises EngineUnavailable when the checkpoint cannot be used."""
        self._config = VoxCPMConfig(**options)
        checkpoint = self._describe()
        super().__init__(
            checkpoint.sample_rate,
            slots=self._config.slots or 1,
            max_waiting=max_waiting,
            queue_seconds=queue_seconds,
            park_seconds=park_seconds,
            idle_seconds=self._config.idle_seconds,
        )
        self._info = _info(checkpoint)
        self._was_loaded = False
        self._notice = ""

    @property
    def info(self) -> EngineInfo:
        return self._info

    def forget(self, voice: str) -> None:
        def drop() -> None:
            if self._was_loaded:
                self._runner.forget(voice)

        self._worker.do(drop)

    def stats(self) -> EngineStats:
        return replace(super().stats(), notice=self._notice)

    # -- the model

    def _load(self) -> None:
        if not self._was_loaded:
            self._runner, self._was_loaded = self._make_runner(), True
        self._notice = ""
        self._runner.load()
        self._notice = self._runner.notice

    def _describe(self) -> Checkpoint:
        """What the model's directory holds."""
        return usable_checkpoint(self._config.model)

    def _make_runner(self) -> Runner[Any]:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
        # Here begins torch: seconds to import, and nobody else in this process needs it.
        from speech.engine.voxcpm.runner import ModelRunner

        return ModelRunner(self._config)

    def _unload(self) -> None:
        if self._was_loaded:
            self._runner.unload()

    def _model_changed(self) -> None:
        if self._model.state is EngineState.READY:
            slots = self._runner.slots
            asked = self._config.interactive_slots
            kept = max(1, slots // 4) if asked is None else asked
            # Jobs must have one slot, or they would never end.
            self._scheduler.resize(slots, max(0, min(kept, slots - 1)))
            self._prefill_tokens, self._prefill_passes = self._runner.prefill_budget
        super()._model_changed()

    def _try(self, work: Callable[[], None], blamed: Sequence | None = None) -> None:
        from speech.engine.voxcpm.device_errors import translate

        super()._try(partial(translate, work), blamed)

    # -- admission

    def _examine(self, utterance: Utterance) -> None:
        super()._examine(utterance)
        tokens = utterance.params.max_new_tokens
        if tokens is not None and tokens < 1:
            raise InvalidUtterance("At least one token must be allowed.", "max_new_tokens")
        if self._is_ready():
            with suppress(EngineUnavailable):  # it may be unloaded just now: looked at later
                self._runner.prepare(utterance, 0)


def _info(checkpoint: Checkpoint) -> EngineInfo:
    patch = checkpoint.patch_size * FRAME_SECONDS
    return EngineInfo(
        engine="voxcpm",
        names=(checkpoint.name, KNOWN[checkpoint.name]),
        sample_rate=checkpoint.sample_rate,
        languages=LANGUAGES[checkpoint.architecture],
        abilities=ABILITIES[checkpoint.architecture],
        ceiling_base=MORE_PATCHES * patch,
        ceiling_per_character=PATCHES_PER_CHARACTER * patch,
        batches=True,
        spells_rare_signs=True,
    )
