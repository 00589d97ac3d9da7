"""Which language each part of a text is to be spoken in, told by its script.

espeak-ng reads out "Chinese letter" or a number where a letter is foreign to the voice; so every
run of a foreign script is given to a language that is written in it. Knows nothing of the library.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

from speech.engine.errors import UnsupportedByEngine


@dataclass(frozen=True, slots=True)
class Run:
    """``text[start:end]``, to be spoken in ``language`` (a voice file's name)."""

    language: str
    start: int
    end: int


_RANGES: tuple[tuple[int, int, str], ...] = (
    # First and last code point of the letters, script; in the order of Unicode.
    (0x0041, 0x024F, "latin"),
    (0x0250, 0x02AF, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0530, 0x058F, "armenian"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0x08A0, 0x08FF, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0980, 0x09FF, "bengali"),
    (0x0A00, 0x0A7F, "gurmukhi"),
    (0x0A80, 0x0AFF, "gujarati"),
    (0x0B00, 0x0B7F, "oriya"),
    (0x0B80, 0x0BFF, "tamil"),
    (0x0C00, 0x0C7F, "telugu"),
    (0x0C80, 0x0CFF, "kannada"),
    (0x0D00, 0x0D7F, "malayalam"),
    (0x0D80, 0x0DFF, "sinhala"),
    (0x0E00, 0x0E7F, "thai"),
    (0x1000, 0x109F, "myanmar"),
    (0x10A0, 0x10FF, "georgian"),
    (0x1100, 0x11FF, "hangul"),
    (0x1200, 0x139F, "ethiopic"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "greek"),
    (0x2C60, 0x2C7F, "latin"),
    (0x3005, 0x3007, "han"),
    (0x3040, 0x30FF, "kana"),
    (0x3100, 0x312F, "bopomofo"),
    (0x3130, 0x318F, "hangul"),
    (0x31F0, 0x31FF, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
    (0xF900, 0xFAFF, "han"),
    (0xFB00, 0xFB06, "latin"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFC, "arabic"),
    (0xFF21, 0xFF5A, "latin"),
    (0xFF66, 0xFF9F, "kana"),
)
_STARTS = [first for first, _, _ in _RANGES]

_SPOKEN_IN: dict[str, tuple[str, ...]] = {
    # A script and the languages written in it; the first is the one for a foreign text's run.
    "latin": ("en",),
    "greek": ("el",),
    "cyrillic": tuple("ru uk be bg sr mk kk ky tt ba nog az uz".split()),
    "armenian": ("hy", "hyw"),
    "hebrew": ("he",),
    "arabic": ("ar", "fa", "ur", "ug", "sd", "ku"),
    "devanagari": ("hi", "mr", "ne", "kok"),
    "bengali": ("bn", "as", "bpy"),
    "gurmukhi": ("pa",),
    "gujarati": ("gu",),
    "oriya": ("or",),
    "tamil": ("ta",),
    "telugu": ("te",),
    "kannada": ("kn",),
    "malayalam": ("ml",),
    "sinhala": ("si",),
    "thai": ("th",),
    "myanmar": ("my", "shn"),
    "georgian": ("ka",),
    "hangul": ("ko",),
    "ethiopic": ("am", "ti"),
    "han": ("cmn", "yue", "hak"),
    "bopomofo": ("cmn",),
    "kana": ("ja",),
}

_READ_BY_VOXCPM2 = re.compile("[\u0e80-\u0eff\u1780-\u17ff]")  # Lao and Khmer

_NOT_LATIN = frozenset(name for names in _SPOKEN_IN.values() for name in names) - {
    "en", "az", "uz", "ku", "hak",
}  # fmt: skip
"""Languages whose voices spell a Latin word out, or read it as something else."""


def split_runs(text: str, language: str | None) -> list[Run]:
    """The runs of ``text``, which cover it without a gap.

    ``language`` is the voice file of the text as a whole, or None to go by the script alone.
    Raises UnsupportedByEngine, naming ``input``, for letters that no voice can read.
    """
    main = language or _guess(text)
    _refuse_kanji(text, main)
    runs: list[Run] = []
    for index, character in enumerate(text):
        spoken_in = _language_of(character, main)
        if runs and spoken_in in (None, runs[-1].language):
            runs[-1] = Run(runs[-1].language, runs[-1].start, index + 1)
        elif runs and runs[-1].language == "":
            runs[-1] = Run(spoken_in or "", runs[-1].start, index + 1)
        else:
            runs.append(Run(spoken_in or "", index, index + 1))
    return [Run(run.language or main, run.start, run.end) for run in runs]


def script_of(character: str) -> str | None:
    """The script of a letter or mark; None for what all scripts share: digits, signs, emoji."""
    if unicodedata.category(character)[0] not in "LM":
        return None
    place = bisect_right(_STARTS, ord(character)) - 1
    if place < 0 or ord(character) > _RANGES[place][1]:
        return None
    return _RANGES[place][2]


def _guess(text: str) -> str:
    """The language of a text by its script, where nobody has said it."""
    scripts = [script_of(character) for character in text]
    if "kana" in scripts:
        return "ja"
    known = [script for script in scripts if script]
    if not known:
        return "en"
    return _SPOKEN_IN["han" if "han" in known else known[0]][0]


def _refuse_kanji(text: str, main: str) -> None:
    if main != "ja":
        return
    for character in text:
        if script_of(character) == "han":
            raise UnsupportedByEngine(
                f"This model reads kana and not '{character}'; voxcpm2 reads all Japanese.", "input"
            )


def _language_of(character: str, main: str) -> str | None:
    """The language to read ``character`` in; None where its neighbours decide."""
    script = script_of(character)
    if script is None:
        if unicodedata.category(character)[0] == "L":
            reader = "; voxcpm2 does" if _READ_BY_VOXCPM2.match(character) else ""
            raise UnsupportedByEngine(f"This model does not read '{character}'{reader}.", "input")
        return None
    readers = _SPOKEN_IN[script]
    if main in readers or (script == "latin" and main not in _NOT_LATIN):
        return main
    return readers[0]
