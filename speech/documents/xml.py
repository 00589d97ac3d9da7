"""XML from a stranger as a flow of elements: no entities of its own, no depth, no tree."""

from __future__ import annotations

import codecs
import html
import re
from html.entities import html5
from typing import Any, Protocol
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from .document import UnreadableDocument

MAX_DEPTH = 200
MAX_ELEMENTS = 1_000_000
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_XML_OWN = {"amp", "lt", "gt", "quot", "apos"}
# What books are written in. Python knows more, and takes for ever to read some of it (punycode).
_ENCODINGS = re.compile(
    r"(utf|iso-?8859|cp|windows|koi8|big5|gb|hz|euc|shift|iso2022|mac|tis|ascii|johab)[-a-z0-9]*"
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding=["']([A-Za-z0-9._-]{1,40})["']""")


class Reader(Protocol):
    """Hears of elements by their local names, without namespaces."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


def read_xml(data: bytes, reader: Reader) -> None:
    """Tell ``reader`` what stands in an XML document. Raises UnreadableDocument."""
    parser = XMLParser(
        target=_Guarded(reader), forbid_dtd=False, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(_with_characters_for_names(data))
        parser.close()
    except DefusedXmlException:
        raise UnreadableDocument("There are definitions in it that are not read here.") from None
    except (ParseError, LookupError, ValueError):
        raise UnreadableDocument("A part of it cannot be read.") from None


class _Guarded:
    """Between parser and reader: depth, number of elements, names without namespaces."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._depth = self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise UnreadableDocument("It is nested too deeply, or has too many parts.")
        self._reader.start(local(tag), attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._reader.end(local(tag))

    def data(self, text: str) -> None:
        self._reader.data(text)

    def close(self) -> None:
        """The parser asks for this at the end."""


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def attribute(attributes: dict[str, str], name: str) -> str:
    """An attribute by its local name; "" when it is not there."""
    return next((value for key, value in attributes.items() if local(key) == name), "")


def _with_characters_for_names(data: bytes) -> str:
    """The text with HTML's names (&nbsp;) as characters: XML knows five of them only."""
    declared = _DECLARED.match(data)
    encoding = declared.group(1).decode() if declared else "utf-8-sig"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    if not _ENCODINGS.fullmatch(codecs.lookup(encoding).name.replace("_", "-")):
        raise LookupError(encoding)
    text = data.decode(encoding).removeprefix("\ufeff")
    if declared:
        text = text[text.index("?>") + 2 :]  # a string has no encoding any more
    return _NAMED.sub(_character, text)


def _character(found: re.Match[str]) -> Any:
    name = found.group(1)
    if name in _XML_OWN or f"{name};" not in html5:
        return found.group()
    return html.escape(html5[f"{name};"])
