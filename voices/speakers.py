"""Whether two recordings are of one person, where a program is set that tells; nobody does by
default, for to know somebody by their voice is a use of biometric data of its own.

``SPEAKER_CHECK`` is ``none``, or a command that is given two WAV files and prints how likely they
are one person's: from 0 to 1.
"""

from __future__ import annotations

import logging
import shlex

from django.conf import settings

from voices import programs
from voices.exceptions import ComparisonUnavailable, ConsentRequired

logger = logging.getLogger(__name__)
ALIKE = 0.5
"""From here on it is more likely one person than two."""


def is_set() -> bool:
    return bool(settings.SPEAKER_CHECK != programs.NONE)


def check_speaker(consent: bytes, voice: bytes) -> str:
    """Who says that the person who consented is the one to be copied, and how surely.

    Raises ConsentRequired where it is somebody else, and ComparisonUnavailable.
    """
    command = shlex.split(settings.SPEAKER_CHECK)
    said = programs.ask(command, ComparisonUnavailable, recordings=(consent, voice))
    try:
        likeness = float(said)
    except ValueError:
        likeness = float("nan")
    if not 0 <= likeness <= 1:
        logger.error("%s printed %.100r, which is no number from 0 to 1", command[0], said)
        raise ComparisonUnavailable
    if likeness < ALIKE:
        raise ConsentRequired(
            "This consent was given in another voice than the recording's.", "consent"
        )
    return f"{programs.name_of(settings.SPEAKER_CHECK)[:80]} {likeness:.2f}"
