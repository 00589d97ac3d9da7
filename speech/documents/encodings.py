"""Bytes that are said to be text, as text: by mark, as UTF-8, or as what makes sense."""

from __future__ import annotations

import codecs
import re

from .document import UnreadableDocument

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u30ff]")
# Of what an old East Asian encoding yields, so much must be in its script to be believed.
_BELIEVED = 0.3
_SAMPLE = 20_000


def decode_text(data: bytes) -> str:
    """The text. Raises UnreadableDocument for what is none in any encoding we know."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding)
    if b"\x00" in data:
        raise UnreadableDocument("This is not a text file.")
    for encoding, script in (("utf-8", None), ("shift_jis", _KANA), ("gb18030", _HAN)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if script is None or _is_mostly(script, text):
            return text
    return _strictly(data, "cp1252")


def _strictly(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableDocument("The text's encoding is not known; save it as UTF-8.") from None
    if "\x00" in text:
        raise UnreadableDocument("This is not a text file.")
    return text


def _is_mostly(script: re.Pattern[str], text: str) -> bool:
    signs = [sign for sign in text[:_SAMPLE] if ord(sign) > 127]
    return bool(signs) and len(script.findall("".join(signs))) >= _BELIEVED * len(signs)
