"""Whether words can be those of a recording: only by their number, for nobody listens to them here.

A transcript of something else makes the model run away, so what is impossible is refused.
"""

from __future__ import annotations

import unicodedata

from voices.exceptions import RefusedRecording

LONGEST = 1000
# Slower or faster than anybody reads: letters, and signs that stand for a syllable, per second.
_LETTERS = (3.0, 32.0)
_SYLLABLES = (0.8, 12.0)
_SYLLABIC = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "YI ", "ETHIOPIC")


def check_transcript(transcript: str, speech_seconds: float) -> None:
    """Raise RefusedRecording where so many words do not fit so much speech."""
    if len(transcript) > LONGEST:
        raise RefusedRecording(
            "invalid_value", f"A transcript has at most {LONGEST} characters.", "transcript"
        )
    letters, syllables = _count(transcript)
    if not letters + syllables:
        raise RefusedRecording("invalid_value", "The transcript holds no words.", "transcript")
    least = letters / _LETTERS[1] + syllables / _SYLLABLES[1]
    most = letters / _LETTERS[0] + syllables / _SYLLABLES[0]
    if not least <= speech_seconds <= most + 1:
        raise RefusedRecording(
            "transcript_mismatch",
            f"The transcript takes {least:.1f} to {most + 1:.1f} s to say, but the recording holds "
            f"{speech_seconds:.1f} s of speech: send exactly the words that are spoken in it.",
            "transcript",
        )


def _count(text: str) -> tuple[int, int]:
    """Letters and digits of alphabets, and signs of syllables."""
    letters = syllables = 0
    for character in text:
        if unicodedata.name(character, "").startswith(_SYLLABIC):
            syllables += 1
        elif character.isalnum():
            # A digit is read as a word.
            letters += 4 if character.isdigit() else 1
    return letters, syllables
