"""The built-in voices: thirteen names that every OpenAI client may send.

A preset says what the voice should be like; how it is made is the engine's business.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A built-in voice and what it is like, in words."""

    name: str
    description: str

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.capitalize()


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("alloy", "A balanced, neutral voice with an even pace"),
        Preset("ash", "A low, calm male voice with a dry tone"),
        Preset("ballad", "A warm, slow storyteller"),
        Preset("cedar", "A deep, resonant male voice"),
        Preset("coral", "A bright, friendly female voice"),
        Preset("echo", "A clear male voice, straight and measured"),
        Preset("fable", "A lively British narrator"),
        Preset("marin", "A soft, natural female voice"),
        Preset("nova", "An energetic young female voice"),
        Preset("onyx", "A very deep, authoritative male voice"),
        Preset("sage", "A gentle, thoughtful female voice"),
        Preset("shimmer", "A light, high female voice"),
        Preset("verse", "An expressive, versatile male voice"),
    )
}
# Asks for the engine's own voice, with nothing added to it.
ENGINE_VOICE = "default"
