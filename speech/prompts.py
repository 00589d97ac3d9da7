"""From a voice, as people know it, to a voice prompt, as engines do. Nothing else knows both."""

from __future__ import annotations

import zlib

from speech.engine.types import Ability, EngineInfo, VoicePrompt
from voices.presets import Preset


def voice_prompt(voice: Preset | None, info: EngineInfo) -> VoicePrompt | None:
    """The engine's view of a voice; None is the engine's own."""
    if voice is None:
        return None
    key = f"preset:{voice.name}"
    if Ability.DESIGN in info.abilities:
        return VoicePrompt(key=key, preset=voice.name, description=voice.description)
    return VoicePrompt(key=key, preset=voice.name)


def voice_seed(voice: Preset | None, info: EngineInfo) -> int | None:
    """The seed that stands for a built-in voice where the engine has neither voices of its own nor
    can design one, but speaks in another voice with every seed."""
    if voice is None or Ability.CLONE not in info.abilities or Ability.DESIGN in info.abilities:
        return None
    return zlib.crc32(voice.name.encode())
