"""Markdown, HTML and control syntax become plain lines; the words between the signs survive.

Whatever a person types is text: after ``strip_markup`` no sign is left that an engine could take
for a tag, a style or a special token. Knows no language but the sentence ending it is given.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(r"<!--[^<]*-->")
_TAG = re.compile(
    r"</?(?:a|abbr|article|aside|audio|b|big|blockquote|body|br|break|button|center|cite|code|dd|del"
    r"|details|div|dl|dt|em|emphasis|figcaption|figure|font|footer|h[1-6]|head|header|hr|html|i|img"
    r"|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|p|phoneme|pre|prosody|q|s|samp|say-as"
    r"|section|small|span|speak|strike|strong|style|sub|summary|sup|table|tbody|td|tfoot|th|thead"
    r"|title|tr|tt|u|ul|var|voice|wbr)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]{0,200}\)){0,2000}(?:\s\"[^\"()]*\")?\)")
_REFERENCE = re.compile(r"\[\^?\d{1,3}\](?!\()|\[\^[\w-]{1,40}\]:?")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000})>")

_FENCE = re.compile(r"\s{0,9}(?:```|~~~)")
_RULE = re.compile(r"[\s|:*_=-]*[*_=|-][\s|:*_=-]*")
_QUOTE = re.compile(r"^(?:\s{0,9}>){1,20}\s?")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+")
_BULLET = re.compile(r"\s{0,40}[-*+•‣◦▪●·]\s+(?:\[[ xX]\]\s+)?")
_NUMBERED = re.compile(r"\s{0,40}(\d{1,3})[.)]\s+")
_SPACELESS = "\u3000-\u30ff\u3400-\u9fff\uff00-\uffef"
_SOFT_BREAK = re.compile(rf"(?<=[{_SPACELESS}])\n(?=[{_SPACELESS}])")
_ENDED = tuple(".!?:;,。！？：；，、…।॥؟۔")


def strip_links(text: str) -> str:
    """Links and images as their own words; addresses that stand for themselves stay."""
    return _LINK.sub(r"\1", _AUTOLINK.sub(r"\1", text))


def strip_markup(text: str, ending: str = ".") -> str:
    """Plain text on one line: blocks end in ``ending``, soft line breaks are spaces."""
    text = _COMMENT.sub(" ", text)
    text = _TAG.sub(_speak_tag, text)
    return _join_blocks(_REFERENCE.sub("", text).split("\n"), ending)


def _speak_tag(tag: re.Match[str]) -> str:
    """A block's tag ends a line; one inside a sentence leaves nothing behind."""
    return (
        "\n\n" if re.match(r"</?(?:br|p|li|div|h\d|tr|title|hr)\b", tag[0], re.IGNORECASE) else ""
    )


def _join_blocks(lines: list[str], ending: str) -> str:
    numbered = sum(_NUMBERED.match(line) is not None for line in lines) > 1
    blocks: list[list[str]] = [[]]
    for line in lines:
        words, own_block = _read_line(line, numbered)
        if own_block or not words:
            blocks.append([])
        if words:
            blocks[-1].append(words)
        if own_block and _HEADING.match(line):
            blocks.append([])
    paragraphs = [_SOFT_BREAK.sub("", "\n".join(block)) for block in blocks if block]
    ended = [part if part.endswith(_ENDED) else part + ending for part in paragraphs[:-1]]
    return re.sub(r"\s+", " ", " ".join([*ended, *paragraphs[-1:]])).strip()


def _read_line(line: str, numbered: bool) -> tuple[str, bool]:
    """The words of a line, and whether it starts a block of its own."""
    if not line or line.isspace() or _FENCE.match(line) or _RULE.fullmatch(line):
        return "", True
    line = _QUOTE.sub("", line, count=1)
    if heading := _HEADING.match(line):
        return line[heading.end() :].rstrip("# \t"), True
    if bullet := _BULLET.match(line):
        return line[bullet.end() :].strip(), True
    if numbered and (item := _NUMBERED.match(line)):
        return f"{item[1]}, {line[item.end() :].strip()}", True
    if line.lstrip().startswith("|"):
        return ", ".join(cell.strip() for cell in line.split("|") if cell.strip()), True
    return line.strip(), False
