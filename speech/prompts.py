"""From a voice, as people know it, to a voice prompt, as engines do. Nothing else knows both."""

from __future__ import annotations

import zlib

from speech.engine.types import Ability, EngineInfo, Recording, VoicePrompt
from voices.models import Voice
from voices.presets import Preset
from voices.wav import read_own


def voice_prompt(voice: Preset | Voice | None, info: EngineInfo) -> VoicePrompt | None:
    """The engine's view of a voice; None is the engine's own. Raises StorageUnavailable."""
    if voice is None:
        return None
    if isinstance(voice, Voice):
        return _own_prompt(voice, info)
    key = f"preset:{voice.name}"
    if Ability.DESIGN in info.abilities:
        return VoicePrompt(key=key, preset=voice.name, description=voice.description)
    return VoicePrompt(key=key, preset=voice.name)


def _own_prompt(voice: Voice, info: EngineInfo) -> VoicePrompt:
    """Without its words a recording lends its timbre; with them it is continued, and lends its
    timbre as well where the model can take both: the models that design voices are those.

    The recording's hash is in the key, so that a voice is encoded once for each version.
    """
    sample = voice.sample
    samples, rate = read_own(sample.wav())
    recording = Recording(samples, rate, sample.transcript or None)
    key = f"{voice.public_id}:{voice.version}:{sample.sha256}"
    if not sample.transcript:
        return VoicePrompt(key=key, reference=recording)
    takes_both = Ability.DESIGN in info.abilities
    return VoicePrompt(key=key, reference=recording if takes_both else None, prompt=recording)


def voice_seed(voice: Preset | Voice | None, info: EngineInfo) -> int | None:
    """The seed that stands for a built-in voice where the engine has neither voices of its own nor
    can design one, but speaks in another voice with every seed."""
    if not isinstance(voice, Preset):
        return None
    if Ability.CLONE not in info.abilities or Ability.DESIGN in info.abilities:
        return None
    return zlib.crc32(voice.name.encode())
