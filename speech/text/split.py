"""Normalised text in utterance-sized pieces: by sentence, then by clause, then by length.

A sentence of up to 200 characters is never cut; short ones share a piece, except that the first
piece is the first sentence alone, so that its audio starts early. Knows nothing of engines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache

LONGEST_PIECE = 200
# A hundred characters without spaces last as long as three hundred letters, and models lose the
# thread after half a minute.
_LONGEST_DENSE = 80
_SHORTEST_FIRST = 12

_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_SENTENCE_END = re.compile(
    r"(?:(?<![.!?…؟।॥۔։።])(?P<plain>[.!?…؟।॥۔։።]+)[\"'”’»)\]]*(?=\s)|[。！？｡]+[\"'”’」』）)]*|။|។)\s*"
)
_CLAUSE_END = re.compile(
    r"[,;:،؛][\"'”’»)\]]*\s+|[，；：、][\"'”’」』）]*\s*|(?<!\s)\s+(?=[–—-]\s)"
)
_QUOTATION = re.compile(r'"(?=\S)[^"]*"|“[^“”]*”|«[^«»]*»|「[^「」]*」|『[^『』]*』|„[^„“”]*[“”]')
_LAST_WORD = re.compile(r"(?:\w|\w\.|\w[-'])*\w$")
_ABBREVIATIONS = frozenset(
    "dr mr mrs ms prof st sr jr rev hon gen col capt lt sgt maj gov sen rep pres vs etc approx"
    " e.g i.e cf fig vol no nos op ed eds pp inc ltd co corp dept est ave blvd rd mt ft al"
    " viz jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m z.b d.h u.a"
    " usw bzw ca evtl ggf inkl nr str vgl hr fr"
    " dipl mme mlle av p.ex sra dra ud uds ph.d m.d u.s u.k u.n d.c".split()
)
_ORDINAL_DOT = frozenset("de da nb no fi cs sk pl hu hr sl sr tr et lv".split())
_NUMBER_WORD = (
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six"
    r"|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand"
    r"|(?:m|b|tr)illion|quadrillion|point)\b"
)
_NUMBER_SPACE = re.compile(rf"(?<=\d) (?=\d)|{_NUMBER_WORD} (?={_NUMBER_WORD})", re.IGNORECASE)
_HAN_NUMBER = "零一二三四五六七八九十百千万亿点两幺〇"
# Thai and Lao vowels that are written before the consonant they belong to.
_LEADING_VOWELS = "เแโใไເແໂໃໄ"
_NEVER_FIRST = ",.!?;:，。！？；：、…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ）」』】》”’)]}%\"'"


class Place(IntEnum):
    """How good a place for a cut is, from a broken letter to the end of a clause."""

    BROKEN = 0
    WORD = 1
    NUMBER = 2
    QUOTED_ANYWHERE = 3
    QUOTED_SPACE = 4
    QUOTED_CLAUSE = 5
    ANYWHERE = 6
    SPACE = 7
    CLAUSE = 8


def split(text: str, language: str | None = None) -> list[str]:
    """The pieces of ``text``, each at most 200 characters; joined they are it, white space apart.

    A cut never falls inside a number, a word or a quotation while there is any other place for it.
    ``language`` is a BCP 47 tag; it only decides whether "1." may be an ordinal.
    """
    quoted = _quoted(text)
    limit = _LONGEST_DENSE if len(_DENSE.findall(text)) * 2 > len(text) else LONGEST_PIECE
    pieces: list[tuple[int, int]] = []
    for start, end in _sentences(text, quoted, (language or "").partition("-")[0].lower()):
        if end - start > LONGEST_PIECE:
            pieces.extend(_cut(text, start, end, quoted, limit))
        elif pieces and _belongs(text, pieces, start, end, limit):
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
    return [piece for start, end in pieces if (piece := text[start:end].strip())]


def _quoted(text: str) -> bytearray:
    """1 at every offset where a cut would open a quotation short enough to be kept whole."""
    inside = bytearray(len(text) + 1)
    for quotation in _QUOTATION.finditer(text):
        start, end = quotation.span()
        if end - start <= LONGEST_PIECE:
            inside[start + 1 : end] = b"\1" * (end - start - 1)
    return inside


def _belongs(text: str, pieces: list[tuple[int, int]], start: int, end: int, limit: int) -> bool:
    """Whether a sentence joins the last piece: short ones do, except behind the first."""
    begun, until = pieces[-1]
    speakable = any(char.isalnum() for char in text[start:end])
    if not speakable:
        return end - begun <= LONGEST_PIECE
    early = len(pieces) == 1 and until - begun >= _SHORTEST_FIRST
    return not early and len(text[begun:end].strip()) <= limit


def _sentences(text: str, quoted: bytearray, language: str) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in _SENTENCE_END.finditer(text):
        if quoted[mark.start() + len(mark[0].rstrip())] or not _ends(text, mark, language):
            continue
        yield start, mark.end()
        start = mark.end()
    if text[start:].strip():
        yield start, len(text)


def _ends(text: str, mark: re.Match[str], language: str) -> bool:
    """Whether a mark ends its sentence: "Dr.", "J.", "No. 7", "wait... what" do not."""
    plain, following = mark["plain"], text[mark.end() : mark.end() + 1]
    if plain is None or not following:
        return True
    if plain != ".":
        return not (following.islower() and (plain[0] in ".…" or mark[0].rstrip() != plain))
    word = _LAST_WORD.search(text, max(0, mark.start() - 24), mark.start())
    last = word[0].lower() if word else ""
    if last.isdecimal():
        return len(last) > 2 or language not in _ORDINAL_DOT
    if last in ("no", "nos"):
        return not following.isdecimal()
    return not (last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha() and last.isascii()))


def _cut(
    text: str, start: int, end: int, quoted: bytearray, limit: int
) -> Iterator[tuple[int, int]]:
    """A sentence too long for one utterance, cut at the best place before each limit."""
    places = _places(text, start, end, quoted)
    base, early = start, start == 0
    while len(text[start:end].rstrip()) > limit:
        cut = limit
        if early:
            cut = _best(places, start - base, limit // 10, limit // 2)
        if not early or places[start - base + cut] < Place.CLAUSE:
            cut = _best(places, start - base, limit // 4, limit)
        if places[start - base + cut] < Place.ANYWHERE:
            cut = _best(places, start - base, 1, LONGEST_PIECE)
        yield start, start + cut
        start, early = start + cut, False
    yield start, end


def _best(places: bytearray, start: int, least: int, most: int) -> int:
    """How far from ``start`` the last of the best places lies, within ``least`` to ``most``."""
    most = min(most, len(places) - 1 - start)
    window = places[start + least : start + most + 1]
    return least + window.rindex(max(window))


def _places(text: str, start: int, end: int, quoted: bytearray) -> bytearray:
    """How good a cut before each character is, from ``start`` on."""
    places = bytearray(end - start + 1)
    for offset in range(start + 1, end):
        places[offset - start] = _judge(text[offset - 1], text[offset])
    for space in _NUMBER_SPACE.finditer(text, start, end):
        places[space.end() - start] = Place.NUMBER
    for clause in _CLAUSE_END.finditer(text, start, end):
        places[clause.end() - start] = Place.CLAUSE
    for sentence in _SENTENCE_END.finditer(text, start, end):
        places[sentence.end() - start] = Place.CLAUSE
    for offset in range(start, end):
        if quoted[offset] and places[offset - start] >= Place.ANYWHERE:
            places[offset - start] -= Place.ANYWHERE - Place.QUOTED_ANYWHERE
    return places


@lru_cache(maxsize=65_536)
def _judge(before: str, after: str) -> Place:
    """What lies between two neighbouring characters."""
    if after.isspace():
        return Place.WORD  # the cut comes behind the space, not before it
    if before.isspace():
        return Place.SPACE
    if unicodedata.category(after)[0] == "M" or before in _LEADING_VOWELS or before == "\u200d":
        return Place.BROKEN
    if not (_DENSE.match(before) or _DENSE.match(after)):
        return Place.WORD
    if before in _HAN_NUMBER and after in _HAN_NUMBER:
        return Place.NUMBER
    if after in _NEVER_FIRST or unicodedata.category(before) in ("Ps", "Pi"):
        return Place.WORD
    return Place.ANYWHERE
