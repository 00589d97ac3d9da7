"""Pure text work: what a person typed becomes speakable sentences, and those become utterances.

Knows nothing of Django, engines or audio.
"""

from __future__ import annotations

from .align import Alignment
from .language import detect_language, language_among, normalize_tag
from .normalize import clean, disarm, is_blank, is_speakable, normalize
from .split import split

__all__ = [
    "Alignment",
    "clean",
    "detect_language",
    "disarm",
    "is_blank",
    "is_speakable",
    "language_among",
    "normalize",
    "normalize_tag",
    "split",
]
