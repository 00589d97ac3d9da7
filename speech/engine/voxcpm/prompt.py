"""What the model is shown before it speaks: text and recordings, in one row of positions.

One function lays out all four modes (zero-shot, reference, continuation, combined), as
``voxcpm2._generate_with_prompt_cache`` does; 0.5B and 1.5 know the two without a reference. Knows
nothing of torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat, takewhile

from speech.engine.types import Utterance, VoicePrompt

AUDIO_START = 101
REFERENCE_START = 103
REFERENCE_END = 104
AUDIO = -1
"""Stands where a patch of a recording is heard instead of a token."""

PATCHES_PER_TOKEN = 6
MORE_PATCHES = 10
"""The package's ceiling: ``6 * tokens + 10`` patches, against takes that never stop."""

LEAST_PATCHES = 2
"""The package's ``min_len``: the stop head is believed after this patch."""

TIMESTEPS = 10
GUIDANCE = 2.0
"""The package's defaults."""

_PARENTHESES = {ord(sign): None for sign in "()（）"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """An utterance, laid out: what one slot is to consume and how it is to go on.

    ``tokens`` are ids, with AUDIO for each patch of the reference and, at the end, of the prompt
    recording; the first ``shared`` positions are the same whatever the text.
    """

    tokens: tuple[int, ...]
    shared: int
    voice: VoicePrompt | None
    text: str
    seed: int
    max_patches: int
    timesteps: int = TIMESTEPS
    guidance: float = GUIDANCE
    remember: str | None = None


def lay_out(text: Sequence[int], reference: int, prompt: int) -> tuple[int, ...]:
    """Text tokens between so many patches of a reference and of a recording to continue.

    The reference is fenced in, so that it lends its timbre and is not continued; zero patches
    leave either out.
    """
    fenced = (REFERENCE_START, *repeat(AUDIO, reference), REFERENCE_END) if reference else ()
    return (*fenced, *text, AUDIO_START, *repeat(AUDIO, prompt))


def shared_length(reference: int, transcript: Sequence[int], text: Sequence[int]) -> int:
    """How many first positions depend on the voice alone: its fenced reference, and as many tokens
    of its transcript as are the same in front of what is to be said."""
    return (reference + 2 if reference else 0) + common_length(transcript, text)


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many first tokens are the same in both."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)


def count_patches(samples: int, sample_rate: int, model_rate: int, patch_samples: int) -> int:
    """Patches that a recording comes to, resampled to ``model_rate`` and padded to whole ones."""
    resampled = math.ceil(samples * model_rate / sample_rate)
    return math.ceil(resampled / patch_samples)


def spoken_text(utterance: Utterance) -> str:
    """The text with VoxCPM2's control prefix: a description in parentheses, made by us alone."""
    described = utterance.voice.description if utterance.voice else None
    control = ", ".join(part for part in (described, utterance.style) if part)
    # What follows a parenthesis of theirs would be spoken, and they are not charged for it.
    control = control.translate(_PARENTHESES)
    return f"({control}){utterance.text}" if control else utterance.text


def ceiling(text_tokens: int, asked: int | None, room: int) -> int:
    """The most patches of a take: the package's ceiling, what was asked for, what there is."""
    limits = [PATCHES_PER_TOKEN * text_tokens + MORE_PATCHES, room]
    return min(limits if asked is None else [*limits, asked])
