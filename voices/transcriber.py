"""The words of a recording, where a program is set that hears them; nobody hears them by default.

``TRANSCRIBER`` is ``none``, ``funasr`` (see ``voices/funasr.py``), or a command that reads a WAV
file from its standard input and prints what is said in it. A process of its own keeps its model,
and whatever goes wrong with it, out of the server.
"""

from __future__ import annotations

import difflib
import logging
import shlex
import subprocess
import sys
import unicodedata
from pathlib import Path

from django.conf import settings

from voices.exceptions import RefusedRecording, TranscriberUnavailable

logger = logging.getLogger(__name__)
NONE, FUNASR = "none", "funasr"
SECONDS = 120
"""That a program may take for one recording, its start included."""
ALIKE = 0.8
"""How much of what is heard must be what was to be said; programs mishear as well."""
_ROOT = Path(__file__).resolve().parent.parent


def name() -> str:
    """What hears, as records say; "" where nothing does."""
    if settings.TRANSCRIBER == NONE:
        return ""
    return FUNASR if settings.TRANSCRIBER == FUNASR else Path(_command()[0]).name


def transcribe(wav: bytes) -> str:
    """The words. Raises TranscriberUnavailable."""
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own words
            _command(), input=wav, capture_output=True, timeout=SECONDS, check=True, cwd=_ROOT
        )
        return done.stdout.decode().strip()
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[-2000:]
        logger.error("the transcriber ended with status %d: %s", error.returncode, said)
        raise TranscriberUnavailable from error
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        logger.error("the transcriber failed: %s", error)
        raise TranscriberUnavailable from error


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
