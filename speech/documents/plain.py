"""Plain text, Markdown and subtitles: lines become paragraphs, headings become chapters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .dialogue import Script
from .document import Draft

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*)$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_CHAPTER = re.compile(
    r"^\s*(?:(?:chapter|part|book|kapitel|teil|chapitre|partie|cap[ií]tulo|capitolo|parte|глава)"
    r"\s+(?:\d{1,4}|[ivxlcdm]{1,8}|[a-z]{3,12})\b[^\n]{0,80}"
    r"|(?:prologue|epilogue|preface|introduction|foreword|afterword)\s*"
    r"|第\s*[0-9０-９零〇一二三四五六七八九十百千两]{1,8}\s*[章回节節卷部篇話话][^\n]{0,40}"
    r"|(?:序章|序言|楔子|前言|后记|後記|尾声|尾聲|プロローグ|エピローグ))$",
    re.IGNORECASE,
)
_CUE_TIME = re.compile(r"^\s*\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}\s*-->\s*\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}")
_CUE_TAG = re.compile(r"</?[A-Za-z][^<>]{0,80}>|\{\\[^{}]{0,80}\}")


def read_plain(text: str, draft: Draft) -> None:
    """Paragraphs are parted by empty lines; a short line that reads "Chapter 7", or "# The sea",
    is a heading."""
    script = Script(draft)
    for lines in _blocks(text, script):
        marked = _HEADING.match(lines[0]) if len(lines) == 1 else None
        if marked and (title := _title(marked.group(2))):
            script.chapter(title)
            draft.paragraph(title)
        elif len(lines) == 1 and _CHAPTER.match(lines[0]):
            script.chapter(lines[0])
            draft.paragraph(lines[0])
        else:
            script.paragraph("\n".join(lines))


def read_markdown(text: str, draft: Draft) -> None:
    """Headings of the two highest levels that occur are chapters; code is left out."""
    script = Script(draft)
    levels = sorted(
        {len(found.group(1)) for found in map(_HEADING.match, text.split("\n")) if found}
    )
    chapters = set(levels[:2])
    for lines in _blocks(_without_code(text), script, heading=_HEADING):
        heading = _HEADING.match(lines[0])
        if heading is None:
            script.paragraph("\n".join(lines))
        elif title := _title(heading.group(2)):
            if len(heading.group(1)) in chapters:
                script.chapter(title)
            draft.paragraph(title)


def read_subtitles(text: str, draft: Draft) -> None:
    """Every cue is a paragraph; numbers, times and tags are not spoken."""
    script, cue = Script(draft), list[str]()
    for line in [*text.splitlines(), ""]:
        if _CUE_TIME.match(line):
            cue = []
        elif line.strip():
            cue.append(_CUE_TAG.sub("", line))
        else:
            script.paragraph("\n".join(cue))
            cue = []


def _blocks(
    text: str, script: Script, heading: re.Pattern[str] | None = None
) -> Iterator[list[str]]:
    """Lines that belong together; a line that stands for itself is alone."""
    block: list[str] = []
    for line in text.splitlines():
        alone = script.is_special(line) or bool(heading and heading.match(line))
        if (alone or not line.strip()) and block:
            yield block
            block = []
        if alone:
            yield [line]
        elif line.strip():
            block.append(line)
    if block:
        yield block


def _title(text: str) -> str:
    """A heading without the signs that may close it: ``Notes ##``, but not ``About C#``."""
    text = text.rstrip()
    bare = text.rstrip("#")
    return bare.rstrip() if not bare or bare[-1].isspace() else text


def _without_code(text: str) -> str:
    kept, fence = [], ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and found.group(1) == fence else fence
        elif found:
            fence = found.group(1)
        else:
            kept.append(line)
    return "\n".join(kept)
