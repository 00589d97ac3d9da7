"""From a voice, as people know it, to a voice prompt, as engines do. Nothing else knows both."""

from __future__ import annotations

from speech.engine.types import VoicePrompt
from voices.presets import Preset


def voice_prompt(voice: Preset | None) -> VoicePrompt | None:
    """The engine's view of a voice; None is the engine's own."""
    if voice is None:
        return None
    return VoicePrompt(key=f"preset:{voice.name}", preset=voice.name)
