"""What a voice may be called: what people can tell apart, nothing that passes for built in.

Pure functions over strings.
"""

from __future__ import annotations

import unicodedata

from voices.exceptions import InvalidVoiceField
from voices.presets import ENGINE_VOICE, PRESETS

LONGEST = 100
_TAKEN = {*PRESETS, ENGINE_VOICE}
_ID_PREFIXES = ("voice_", "cons_")
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
    return cleaned


def name_key(name: str) -> str:
    """By what a name is found: upper and lower case are one."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _looks_like(name: str) -> str:
    plain = unicodedata.normalize("NFD", name_key(name).translate(_LOOKALIKES))
    return "".join(character for character in plain if character.isalnum())
