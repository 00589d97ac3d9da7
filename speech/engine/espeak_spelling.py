"""Spelling: a text in the letters that espeak-ng reads rightly, and where each came from.

Knows nothing of the library but its gaps.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_RESPELLED = {
    # Version 1.52 knows no Mandarin syllable in -iong after j, q and x and reads it as English
    # ("k-shong-one"). Written without the i, which a Pinyin reader would not allow, it sounds
    # right.
    "jong1": "冂冋坰埛扃蘏蘔駫",
    "jong3": "侰僒冏囧幜泂炯烱煚煛熲皛窘絅綗褧迥逈顈颎駉",
    "jong4": "澃",
    "qong1": "匔焪芎",
    "qong2": "儝卭宆惸桏棾橩焭煢琼瓊睘瞏穷穹窮竆笻筇茕藑藭蛩赹跫輁邛銎",
    "xong1": "兄兇凶匈哅忷恟汹洶胷胸訩詾讻賯",
    "xong2": "熊赨雄",
    "xong4": "夐敻詗诇",
    "儿": "兒",
}
_MANDARIN = {
    character: sound for sound, characters in _RESPELLED.items() for character in characters
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """``text`` for the library; its code point ``i`` stands for the original's ``origins[i]``."""

    text: str
    origins: tuple[int, ...]

    def locate(self, offset: int, length: int) -> tuple[int, int]:
        """Offset and length in the original of a stretch of ``text``."""
        last = min(offset + max(length, 1), len(self.origins)) - 1
        first = min(offset, last)
        return self.origins[first], self.origins[last] + 1 - self.origins[first]


def spell(text: str, language: str) -> Spelling:
    """How to write ``text`` so that the voice file ``language`` reads it."""
    respelled = _MANDARIN if language == "cmn" else {}
    parts = [respelled.get(character, character) for character in legible(text)]
    origins = (index for index, part in enumerate(parts) for _ in part)
    return Spelling("".join(parts), tuple(origins))


def legible(text: str) -> str:
    """``text``, character for character, in forms that the library knows: plain letters for
    mathematical or narrow ones, spaces for controls."""
    return "".join(map(_legible, text))


def _legible(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cs"):
        return " "
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character
