"""System checks of what speech needs from the settings, each with an id."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from speech.engine.registry import ENGINES
from voices.presets import ENGINE_VOICE, PRESETS

NUMBERS = {
    "threads": "ENGINE_THREADS",
    "slots": "ENGINE_SLOTS",
    "interactive_slots": "ENGINE_INTERACTIVE_SLOTS",
    "max_length": "ENGINE_MAX_LENGTH",
    "prefill_tokens": "ENGINE_PREFILL_TOKENS",
    "prefill_passes": "ENGINE_PREFILL_PASSES",
    "voice_cache_bytes": "ENGINE_VOICE_CACHE_MB",
}
CHOICES = ("auto", "voxcpm", *sorted(ENGINES))


def check_engine(**kwargs: Any) -> list[CheckMessage]:
    """SPEECH_ENGINE names an engine, DEFAULT_VOICE a voice, and no number is below zero."""
    found: list[CheckMessage] = []
    if settings.SPEECH_ENGINE not in CHOICES:
        hint = f"Choose one of {', '.join(dict.fromkeys(CHOICES))}."
        found.append(Error("SPEECH_ENGINE names no engine.", hint=hint, id="speech.E001"))
    if settings.DEFAULT_VOICE not in (ENGINE_VOICE, *PRESETS):
        hint = "Choose a built-in voice, such as alloy."
        found.append(Error("DEFAULT_VOICE names no voice.", hint=hint, id="speech.E002"))
    if settings.MAX_INPUT_CHARACTERS < 1 or settings.QUEUE_SECONDS <= 0:
        found.append(
            Error("MAX_INPUT_CHARACTERS and QUEUE_SECONDS must be above zero.", id="speech.E003")
        )
    below = [name for key, name in NUMBERS.items() if (settings.VOXCPM_CONFIG[key] or 0) < 0]
    if below:
        found.append(Error(f"Below zero: {', '.join(below)}.", id="speech.E004"))
    return found
