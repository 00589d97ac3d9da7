"""The built-in voices: thirteen names that every OpenAI client may send.

A preset says what the voice should be like, and what is said with it once, by a model that has no
voices of its own: that recording is the voice from then on (see ``voices/built_in.py``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A built-in voice, what it is like in words, and what is said to make it."""

    name: str
    description: str
    sentence: str

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.capitalize()

    @property
    def seed(self) -> int:
        """The first that is tried when it is made: the same for ever, another for each."""
        return zlib.crc32(self.name.encode())


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "alloy",
            "A balanced, neutral voice with an even pace",
            "Good morning. Whatever you would like to hear today, I will read it to you, "
            "clearly and without any hurry.",
        ),
        Preset(
            "ash",
            "A low, calm male voice with a dry tone",
            "There is nothing to worry about. The train leaves when it leaves, and so far "
            "it has always arrived.",
        ),
        Preset(
            "ballad",
            "A warm, slow storyteller",
            "Once upon a time there was a lighthouse by the sea, and every night somebody "
            "climbed its stairs.",
        ),
        Preset(
            "cedar",
            "A deep, resonant male voice",
            "Beyond the hills the forest begins, old and quiet, and the river finds its own "
            "way between the trees.",
        ),
        Preset(
            "coral",
            "A bright, friendly female voice",
            "Hello, and welcome! It is lovely to see you here. Come in, sit down, and tell "
            "me how your day was.",
        ),
        Preset(
            "echo",
            "A clear male voice, straight and measured",
            "The meeting begins at the usual time. Please bring your notes, and send your "
            "questions in advance.",
        ),
        Preset(
            "fable",
            "A lively British narrator",
            "And just when everybody thought that the treasure was lost, the parrot began "
            "to talk about the cave!",
        ),
        Preset(
            "marin",
            "A soft, natural female voice",
            "I took a walk along the beach this morning, and the water was so still that "
            "I could hear the gulls.",
        ),
        Preset(
            "nova",
            "An energetic young female voice",
            "Are you ready? We have so much to do today, and I cannot wait to show you "
            "what we have been making!",
        ),
        Preset(
            "onyx",
            "A very deep, authoritative male voice",
            "Ladies and gentlemen, please take your seats. The doors are closing, and the "
            "performance will begin.",
        ),
        Preset(
            "sage",
            "A gentle, thoughtful female voice",
            "Take your time, and breathe slowly. Whatever it is, we can look at it together, "
            "one step after the other.",
        ),
        Preset(
            "shimmer",
            "A light, high female voice",
            "Look at the snow on the branches! Everything glitters in the sun, as if "
            "somebody had painted it overnight.",
        ),
        Preset(
            "verse",
            "An expressive, versatile male voice",
            "Some days are for talking, some are for listening, and some, like this one, "
            "are simply for singing along.",
        ),
    )
}
# Asks for the engine's own voice, with nothing added to it.
ENGINE_VOICE = "default"
