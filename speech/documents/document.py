"""What a document is once it is read, within which bounds, and why one cannot be.

Every reader builds a Draft, which counts as it grows: what is too large is refused while it is
read and never held as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_CHAPTERS = 2000
MAX_PARAGRAPHS = 100_000
MAX_TITLE = 200
# Breaks a line for no program, and is nothing to say.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u200b\ufeff]")
_SPACE = re.compile(r"\s+")


class UnreadableDocument(Exception):
    """A document is not what it says it is, or is made to do harm."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_document"
    param = "file"


class DocumentTooLarge(UnreadableDocument):
    """More than is read, however it is packed."""

    status = 413
    code = "document_too_large"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text that one speaker says in one go; "" is whoever reads the whole."""

    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part with a title of its own; "" where the document names none."""

    title: str
    paragraphs: tuple[Paragraph, ...]

    @property
    def characters(self) -> int:
        return sum(len(paragraph.text) for paragraph in self.paragraphs)


@dataclass(frozen=True, slots=True)
class Document:
    """Chapters in reading order; each has something to say."""

    title: str
    chapters: tuple[Chapter, ...]
    language: str = ""

    @property
    def characters(self) -> int:
        return sum(chapter.characters for chapter in self.chapters)

    @property
    def speakers(self) -> list[str]:
        """Everybody who says something, in the order of their first words; "" first of all."""
        found = dict.fromkeys(
            paragraph.speaker for chapter in self.chapters for paragraph in chapter.paragraphs
        )
        return sorted(found, key=bool)


@dataclass(slots=True)
class Draft:
    """A document that grows, at most to ``limit`` characters."""

    limit: int
    title: str = ""
    language: str = ""
    _chapters: list[tuple[str, list[Paragraph]]] = field(default_factory=list)
    _characters: int = 0
    _paragraphs: int = 0

    def chapter(self, title: str) -> None:
        """From here on it is another chapter."""
        if len(self._chapters) >= MAX_CHAPTERS:
            raise DocumentTooLarge(f"A document may have at most {MAX_CHAPTERS:,} chapters.")
        self._chapters.append((tidy(title)[:MAX_TITLE], []))

    def paragraph(self, text: str, speaker: str = "") -> None:
        """Add text to the chapter; without a word in it nothing happens."""
        text = tidy(text)
        if not text:
            return
        if not self._chapters:
            self.chapter("")
        self._characters += len(text)
        self._paragraphs += 1
        if self._characters > self.limit:
            raise DocumentTooLarge(f"A text may have at most {self.limit:,} characters.")
        if self._paragraphs > MAX_PARAGRAPHS:
            raise DocumentTooLarge(f"A text may have at most {MAX_PARAGRAPHS:,} paragraphs.")
        self._chapters[-1][1].append(Paragraph(text, speaker))

    def document(self) -> Document:
        """What was read. Raises UnreadableDocument where that is nothing."""
        chapters = tuple(Chapter(title, tuple(said)) for title, said in self._chapters if said)
        if not chapters:
            raise UnreadableDocument("There is no text in it.")
        return Document(tidy(self.title)[:MAX_TITLE], chapters, self.language)


def tidy(text: str) -> str:
    """One line of printable text with single spaces."""
    return _SPACE.sub(" ", _CONTROL.sub("", text)).strip()
