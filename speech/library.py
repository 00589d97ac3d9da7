"""Voices that the engine has a part in: designed in words, spoken with several seeds, kept.

Plain functions for every face. The gate calls ``prepare_candidate``, which touches nothing; then
``speak_candidate`` is metered like any speech.
"""

from __future__ import annotations

from contextlib import aclosing

import numpy as np

from accounts.gate import beside_the_gate
from speech.requests import Caller, SpeechRequest
from speech.synthesis import Synthesis, prepare
from voices.models import DesignCandidate, Voice, VoiceDesign
from voices.presets import PRESETS
from voices.previews import preview_sentence
from voices.taking import take_own

SENTENCE = PRESETS["alloy"].sentence
"""What is said where nobody says what."""


def prepare_candidate(
    design: VoiceDesign, caller: Caller, seed: int | None = None, model: str | None = None
) -> Synthesis:
    """Decide whether a candidate can be spoken. Raises what ``prepare`` raises, for a model that
    cannot design UnsupportedByEngine, and DesignLimitReached."""
    design.check_room()
    request = SpeechRequest(
        design.text,
        model=model,
        response_format="pcm",
        language=design.language or None,
        seed=seed,
        description=design.description,
    )
    return prepare(request, caller)


def prepare_preview(voice: Voice, caller: Caller) -> Synthesis:
    """Have a voice say a sentence in its language. Raises what ``prepare`` raises."""
    text, language = preview_sentence(voice.language)
    return prepare(SpeechRequest(text, voice=voice.public_id, language=language), caller)


async def speak_candidate(synthesis: Synthesis, design: VoiceDesign) -> DesignCandidate:
    """Speak it in full and keep it with its design, which is stored with its first candidate.

    Raises RefusedRecording for a take that no voice can be made of; like any failure of ours it is
    not charged.
    """
    plan, info = synthesis.plan, synthesis.info
    with synthesis:
        async with aclosing(synthesis.chunks(await synthesis.start())) as chunks:
            heard = np.concatenate([chunk.samples async for chunk in chunks])
        sample = await beside_the_gate(take_own, heard, info.sample_rate, plan.spoken)
        return await beside_the_gate(design.add, sample, plan.spoken, synthesis.seed, info.model)
