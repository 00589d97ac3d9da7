"""The words of a recording, where a program is set that hears them; nobody hears them by default.

``TRANSCRIBER`` is ``none``, ``funasr`` (see ``voices/funasr.py``), or a command that reads a WAV
file from its standard input and prints what is said in it.
"""

from __future__ import annotations

import difflib
import shlex
import sys
import unicodedata

from django.conf import settings

from voices import programs
from voices.exceptions import RefusedRecording, TranscriberUnavailable

FUNASR = "funasr"
ALIKE = 0.8
"""How much of what is heard must be what was to be said; programs mishear as well."""


def name() -> str:
    """What hears, as records say; "" where nothing does."""
    if settings.TRANSCRIBER == programs.NONE:
        return ""
    return FUNASR if settings.TRANSCRIBER == FUNASR else programs.name_of(settings.TRANSCRIBER)


def transcribe(wav: bytes) -> str:
    """The words. Raises TranscriberUnavailable."""
    return programs.ask(_command(), TranscriberUnavailable, wav=wav)


def check_words(wav: bytes, expected: str, param: str) -> str:
    """Who has heard ``expected`` in a recording: "" where nobody listens.

    Raises RefusedRecording where something else is said, and TranscriberUnavailable.
    """
    if not (listener := name()):
        return ""
    wanted, heard = _bare(expected), _bare(transcribe(wav))
    likeness = difflib.SequenceMatcher(None, wanted, heard, autojunk=False).ratio()
    if likeness < ALIKE or _digits(wanted) != _digits(heard):
        raise RefusedRecording(
            "transcript_mismatch", "Other words are heard in the recording.", param
        )
    return listener


def _command() -> list[str]:
    if settings.TRANSCRIBER == FUNASR:
        return [sys.executable, "-m", "voices.funasr", str(settings.TRANSCRIBER_MODEL)]
    return shlex.split(settings.TRANSCRIBER)


def _bare(text: str) -> str:
    """Letters and digits alone, for programs write as they like."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if sign.isalnum())


def _digits(bare: str) -> str:
    return "".join(sign for sign in bare if sign.isdigit())
