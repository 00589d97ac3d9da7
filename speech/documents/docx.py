"""Word's docx: paragraphs of word/document.xml; headings of the two highest levels are chapters."""

from __future__ import annotations

import re

from .archive import Archive
from .dialogue import Script
from .document import Draft, tidy
from .xml import attribute, read_xml

_HEADING = re.compile(r"(?:heading|berschrift|titre|t[ií]tulo|标题|標題|見出し)\s*([1-9])$", re.I)
# Deleted text and notes are in the file, but not in what one reads.
_SILENT = {"del", "moveFrom", "instrText", "footnoteReference", "commentReference"}


def read_docx(archive: Archive, draft: Draft) -> None:
    """Add the body of the document."""
    styles = _Styles()
    if "word/styles.xml" in archive:
        read_xml(archive.read("word/styles.xml"), styles)
    if "docProps/core.xml" in archive:
        core = _Core()
        read_xml(archive.read("docProps/core.xml"), core)
        draft.title = tidy(core.title)
    read_xml(archive.read("word/document.xml"), _Body(draft, styles.levels))


class _Styles:
    """Which paragraph styles are headings, and of which level."""

    def __init__(self) -> None:
        self.levels: dict[str, int] = {}
        self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        value = attribute(attributes, "val")
        if name == "style":
            self._style = attribute(attributes, "styleId")
        elif name == "name" and self._style:
            if found := _HEADING.search(value):
                self.levels[self._style] = int(found.group(1))
            elif value.lower() == "title":
                self.levels[self._style] = 1
        elif name == "outlineLvl" and self._style and value.isdigit() and int(value) < 9:
            self.levels.setdefault(self._style, int(value) + 1)

    def end(self, name: str) -> None:
        if name == "style":
            self._style = ""

    def data(self, text: str) -> None: ...


class _Core:
    """The document's properties: its title."""

    def __init__(self) -> None:
        self.title = ""
        self._within = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._within = name

    def end(self, name: str) -> None:
        self._within = ""

    def data(self, text: str) -> None:
        if self._within == "title" and len(self.title) < 1000:
            self.title += text


class _Body:
    """Paragraphs, and table rows as lines with tabs."""

    def __init__(self, draft: Draft, levels: dict[str, int]) -> None:
        self._draft, self._levels = draft, levels
        self._script = Script(draft)
        self._text: list[str] = []
        self._row: list[str] | None = None
        self._silent = 0
        self._is_text = False
        self._level = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._silent or name in _SILENT:
            self._silent += 1
        elif name == "p":
            self._level = 0
            if self._row is None:
                self._text = []
        elif name == "pStyle":
            style = attribute(attributes, "val")
            found = _HEADING.search(style)
            self._level = self._levels.get(style, int(found.group(1)) if found else 0)
        elif name == "t":
            self._is_text = True
        elif name in ("tab", "br", "cr"):
            self._text.append(" ")
        elif name == "tr":
            self._row, self._text = [], []

    def end(self, name: str) -> None:
        if self._silent:
            self._silent -= 1
        elif name == "t":
            self._is_text = False
        elif name == "p" and self._row is not None:
            self._text.append(" ")
        elif name == "p":
            self._finish()
        elif name == "tc" and self._row is not None:
            self._row.append(tidy("".join(self._text)))
            self._text = []
        elif name == "tr" and self._row is not None:
            row, self._row = self._row, None
            self._script.paragraph("\t".join(row))

    def data(self, text: str) -> None:
        if self._is_text and not self._silent:
            self._text.append(text)

    def _finish(self) -> None:
        text, self._text = tidy("".join(self._text)), []
        if not text:
            return
        if 1 <= self._level <= 2:
            self._script.chapter(text)
        self._script.paragraph(text)
