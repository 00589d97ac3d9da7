"""One sentence in a voice that is to be kept: spoken, listened to in full, judged like an upload.

Knows nothing of rows; what becomes of the take is its caller's business.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from django.conf import settings

from speech.engine.base import Engine
from speech.engine.errors import SynthesisFailed
from speech.engine.stream import Stream
from speech.engine.types import (
    Ability,
    EngineInfo,
    Priority,
    Samples,
    SamplingParams,
    Utterance,
    VoicePrompt,
)
from speech.text import detect_language
from voices.exceptions import RefusedRecording
from voices.limits import LIMITS
from voices.presets import Preset
from voices.samples import Sample
from voices.taking import take_own

SEEDS = 4
"""Tried at most, one after the other, before a voice counts as one that cannot be made."""
TICK_SECONDS = 5.0


def speak_preset(
    preset: Preset, first_seed: int, engine: Engine, priority: Priority, tick: Callable[[], None]
) -> tuple[Sample, int]:
    """The first good take of a built-in voice, and its seed; ``tick`` is called every few seconds.

    Raises RefusedRecording or SynthesisFailed when none is good, and whatever the engine raises.
    """
    bad: Exception | None = None
    for seed in range(first_seed, first_seed + SEEDS):
        stream = engine.submit(_utterance(preset, seed, engine.info, priority))
        try:
            samples = _listen(stream, engine.info.sample_rate, tick)
            return take_own(samples, engine.info.sample_rate, preset.sentence), seed
        except (SynthesisFailed, RefusedRecording) as error:
            bad = error
    assert bad is not None
    raise bad


def _utterance(preset: Preset, seed: int, info: EngineInfo, priority: Priority) -> Utterance:
    """What it is like is told to models that understand it; others have a seed for each."""
    designs = Ability.DESIGN in info.abilities
    voice = VoicePrompt(f"design:{preset.name}", description=preset.description)
    return Utterance(
        preset.sentence,
        voice=voice if designs else None,
        language=detect_language(preset.sentence),
        params=SamplingParams(seed=seed),
        priority=priority,
        group="voices",
    )


def _listen(stream: Stream, rate: int, tick: Callable[[], None]) -> Samples:
    """All of it, or what fits into a reference where it does not end by itself."""
    heard: list[Samples] = []
    room = round(LIMITS.reference_seconds * rate)
    arrived, due = threading.Event(), time.monotonic() + TICK_SECONDS
    try:
        while room > 0:
            arrived.clear()
            if (chunk := stream.poll(arrived.set)) is not None:
                heard.append(chunk.samples[:room])
                room -= len(chunk.samples)
            elif stream.ended:
                break
            else:
                arrived.wait(TICK_SECONDS)
            if time.monotonic() >= due:
                due = time.monotonic() + TICK_SECONDS
                tick()
    finally:
        stream.cancel()
    if stream.error is not None:
        raise stream.error
    if room <= 0 and settings.VOICE_CHECKS == "refuse":
        raise RefusedRecording("audio_too_long", "The model did not come to an end.")
    return np.concatenate(heard) if heard else np.zeros(0, np.float32)
