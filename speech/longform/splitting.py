"""A document in pieces that are each said in one go, with the silence that follows each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from speech.documents import Chapter, Document
from speech.text import detect_language, is_speakable, normalize_tag, split

SENTENCE_MS = 250
PARAGRAPH_MS = 600
CHAPTER_MS = 1500
_LOOKED_AT = 50  # paragraphs


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment to be."""

    chapter: int
    speaker: str
    text: str
    pause_ms: int


def language_of(document: Document, chapter: Chapter) -> str:
    """What the document says it is in, or what most of the chapter's beginning is."""
    with suppress(ValueError):  # what publishers write there
        if document.language:
            return normalize_tag(document.language)
    texts = (paragraph.text for paragraph in islice(chapter.paragraphs, _LOOKED_AT))
    return detect_language("\n".join(texts))


def pieces_of(document: Document, language: str = "") -> Iterator[Piece]:
    """All that can be said of it, in order."""
    for number, chapter in enumerate(document.chapters):
        found: list[Piece] = []
        for paragraph in chapter.paragraphs:
            tongue = language or document.language or detect_language(paragraph.text)
            texts = [text for text in split(paragraph.text, tongue) if is_speakable(text)]
            for place, text in enumerate(texts, 1):
                pause = PARAGRAPH_MS if place == len(texts) else SENTENCE_MS
                found.append(Piece(number, paragraph.speaker, text, pause))
        if found:
            last = found.pop()
            yield from found
            yield Piece(last.chapter, last.speaker, last.text, CHAPTER_MS)
