"""What a voice may be called: what people can tell apart, nothing that passes for built in, and no
name that the operators protect.

Of protected names a file holds nothing but hashes, ``PROTECTED_NAMES``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

from django.conf import settings

from voices.exceptions import InvalidVoiceField
from voices.presets import ENGINE_VOICE, PRESETS

LONGEST = 100
_TAKEN = {*PRESETS, ENGINE_VOICE}
_ID_PREFIXES = ("voice_", "cons_")
# Scripts without spaces: each sign of theirs is a word.
_SIGN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_WORD = re.compile(rf"[{_SIGN}]|[^\W_{_SIGN}]+")
_MOST_WORDS = 12
_INVISIBLE = {"Cc", "Cf", "Co", "Cn", "Cs"}
# Cyrillic, Armenian and Greek letters that look like Latin ones.
_LOOKALIKES = str.maketrans("аеорсухіјѕһԁɡοαιρτκνς", "aeopcyxijshdgoaiptkvs")


def clean_name(name: str) -> str:
    """The name as it is stored. Raises InvalidVoiceField."""
    cleaned = " ".join(unicodedata.normalize("NFKC", name).split())
    if not cleaned:
        raise InvalidVoiceField("A voice needs a name.", "name")
    if len(cleaned) > LONGEST:
        raise InvalidVoiceField(f"A name has at most {LONGEST} characters.", "name")
    if any(unicodedata.category(character) in _INVISIBLE for character in cleaned):
        raise InvalidVoiceField("A name holds no invisible characters.", "name")
    if name_key(cleaned).startswith(_ID_PREFIXES):
        raise InvalidVoiceField("A name does not look like an id.", "name")
    if _looks_like(cleaned) in _TAKEN:
        raise InvalidVoiceField("This is the name of a built-in voice.", "name")
    check_not_protected(cleaned)
    return cleaned


def check_not_protected(name: str) -> None:
    """Raise InvalidVoiceField where a name is, or holds, one that the operators protect."""
    if settings.PROTECTED_NAMES is None:
        return
    listed = set(settings.PROTECTED_NAMES.read_text(encoding="utf-8").split())
    if any(hashlib.sha256(run.encode()).hexdigest() in listed for run in _runs(name)):
        raise InvalidVoiceField("Voices of this name are not made here.", "name")


def protected_hash(name: str) -> str:
    """What stands in the file for a name."""
    return hashlib.sha256(_looks_like(name).encode()).hexdigest()


def _runs(name: str) -> Iterator[str]:
    """All that stands together in a name, as it looks."""
    words = [_looks_like(word) for word in _WORD.findall(name)]
    for first in range(len(words)):
        for last in range(first, min(first + _MOST_WORDS, len(words))):
            yield "".join(words[first : last + 1])


def name_key(name: str) -> str:
    """By what a name is found: upper and lower case are one."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _looks_like(name: str) -> str:
    plain = unicodedata.normalize("NFD", name_key(name).translate(_LOOKALIKES))
    return "".join(character for character in plain if character.isalnum())
