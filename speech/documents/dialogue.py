"""Who speaks: ``[voice: Anna]`` on a line of its own, and tables with a speaker and a text."""

from __future__ import annotations

import re

from .document import Draft, UnreadableDocument, tidy

# Of strangers' lines, which may be long: no two repetitions that match the same stand side by side.
_DIRECTION = re.compile(r"\[\s*voice\s*(?::([^\]\n]{0,200}))?\]", re.IGNORECASE)
_RULE = re.compile(r":?-{2,}:?")
_WHO = {"voice", "speaker", "character", "name", "who", "角色", "说话人", "說話人", "話者", "役"}
_WHAT = {"text", "line", "lines", "words", "says", "台词", "台詞", "文本", "文字", "セリフ", "対話"}
NARRATOR = {"", "default", "narrator"}
MAX_SPEAKERS = 100


class Script:
    """Lines of a text on their way into a draft, each said by whoever was named last."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._speaker = ""
        self._known: set[str] = set()
        self._columns: tuple[int, int] | None = None

    def chapter(self, title: str) -> None:
        """A chapter begins with whoever reads the whole."""
        self._speaker, self._columns = "", None
        self._draft.chapter(title)

    def paragraph(self, text: str) -> None:
        """Add a paragraph, or follow the direction or table row that it is."""
        direction = _DIRECTION.fullmatch(text.strip())
        if direction:
            self._speaker = self._named(direction.group(1) or "")
        elif not self._is_row(text):
            self._columns = None
            self._draft.paragraph(text, self._speaker)

    def is_special(self, line: str) -> bool:
        """Whether the line stands for itself, and is no part of a paragraph."""
        return (
            bool(_DIRECTION.fullmatch(line.strip()))
            or "\t" in line
            or line.lstrip().startswith("|")
        )

    def _is_row(self, line: str) -> bool:
        """Say a row of a dialogue table in its speaker's voice; False for any other line."""
        cells = _cells(line)
        if len(cells) < 2:
            return False
        if self._columns is None:
            self._columns = _heads(cells)
            return self._columns is not None
        if all(map(_RULE.fullmatch, cells)):
            return True
        who, what = self._columns
        if max(who, what) >= len(cells):
            return False
        self._draft.paragraph(cells[what], self._named(cells[who]))
        return True

    def _named(self, name: str) -> str:
        name = tidy(name)
        if name.lower() in NARRATOR:
            return ""
        self._known.add(name)
        if len(name) > 100 or len(self._known) > MAX_SPEAKERS:
            raise UnreadableDocument(
                f"At most {MAX_SPEAKERS} speakers, with names of at most 100 characters."
            )
        return name


def _cells(line: str) -> list[str]:
    if "\t" in line:
        return [cell.strip() for cell in line.strip("\n").split("\t")]
    if line.lstrip().startswith("|"):
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return []


def _heads(cells: list[str]) -> tuple[int, int] | None:
    """Which columns of a table's first row say who speaks and what."""
    heads = [cell.strip("* ").lower() for cell in cells]
    who = next((place for place, head in enumerate(heads) if head in _WHO), None)
    what = next((place for place, head in enumerate(heads) if head in _WHAT), None)
    return None if who is None or what is None or who == what else (who, what)
