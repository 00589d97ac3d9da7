"""Unicode folding: many ways to write a character become the one that rules and engines know.

Works on characters alone and knows no language. After it a text holds no control characters,
surrogates, private or unassigned code points, and only straight quotes and plain hyphens.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Marks that stack without end ("Zalgo") make canonical ordering quadratic, so they are cut first.
_STACKED_MARKS = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_GUILLEMET_SPACE = re.compile("(?<=«)[ \u00a0\u202f]|[ \u00a0\u202f](?=»)")
# A long dash between figures is a range, elsewhere a pause.
_LONG_RANGE = re.compile("(?<=\\d)[—―](?=\\d)")
_KEYCAP = re.compile("([0-9#*])\ufe0f?\u20e3")
# Joiners spell words in the scripts from Arabic to Khmer; elsewhere they only glue emoji.
_STRAY_JOINER = re.compile(
    "(?<![\u0600-\u1fff])[\u200c\u200d]+|[\u200c\u200d]+(?![\u0600-\u1fff\u200c\u200d])"
)
_JOINERS = "\u200c\u200d"

_LOOK_ALIKES = {
    "'": "‘’‛′ʼʹ´‚＇ꞌ",
    '"': "“”„‟″«»〝〞＂❝❞",
    "-": "‐‑‒–−﹣－",
    "*": "∗⁎﹡＊",
    "~": "～〜∼˜",
    "/": "∕⁄",
    ":": "∶꞉",
    "|": "¦｜",
    ".": "․",
    ",": "⹁",
    "。": "｡",
    "、": "､",
    "...": "…⋯",
    ", ": "—―⸺",
    "<": "‹〈⟨",
    ">": "›〉⟩",
    "μ": "µ",
}
_FRACTION_SLASH = {ord("⁄"): "/"}
_KEPT_WIDE = "，！？：；（）。、「」『』"
_KEPT_COMPATIBILITY = "²³™№ºª"


class _Folding(dict[int, str]):
    """A translation table that works out each code point once, when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


def _fold_character(char: str) -> str:
    if char in "\n\t\r\v\f\u0085\u2028\u2029":
        return " " if char == "\t" else "\n"
    category = unicodedata.category(char)
    if category == "Zs" or category in ("Co", "Cn"):
        return " "
    if category in ("Cc", "Cf", "Cs") or char in "\ufe0e\ufe0f\u3164\uffa0\u115f\u1160\u2800\u034f":
        return char if char in _JOINERS else ""
    if char in _KEPT_WIDE or char in _KEPT_COMPATIBILITY:
        return char
    if not unicodedata.decomposition(char).startswith("<"):
        return char
    plain = unicodedata.normalize("NFKC", char).translate(_FRACTION_SLASH)
    # "3½" is "3 1/2", never "31/2".
    return f" {plain}" if "/" in plain and category == "No" else plain


_FOLDING = _Folding({ord(char): plain for plain, odd in _LOOK_ALIKES.items() for char in odd})


def fold(text: str) -> str:
    """``text`` in the characters that the rules know; lines end in ``\\n``. Never raises."""
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text.replace("\r\n", "\n"))
    text = _STACKED_MARKS.sub(r"\1", text)
    text = _GUILLEMET_SPACE.sub("", _KEYCAP.sub(r"\1 ", text))
    text = _LONG_RANGE.sub("-", text)
    text = _STRAY_JOINER.sub("", text.translate(_FOLDING))
    return unicodedata.normalize("NFC", text)
