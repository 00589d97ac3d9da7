"""Epub: a zip with a package that lists XHTML in reading order; each file of it is a chapter."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

from .archive import Archive
from .dialogue import Script
from .document import Draft, UnreadableDocument, tidy
from .xml import attribute, read_xml

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCKS = _HEADINGS | {
    "p", "div", "li", "blockquote", "td", "th", "dt", "dd", "section", "article", "figcaption",
    "pre", "tr", "table", "ul", "ol", "body", "header", "hr", "aside",
}  # fmt: skip
_SILENT = {
    "head",
    "script",
    "style",
    "nav",
    "svg",
    "math",
    "audio",
    "video",
    "rt",
    "rp",
    "template",
}
_XHTML = {"application/xhtml+xml", "text/html"}
_NO_CHAPTER = {"toc", "cover", "nav"}


def read_epub(archive: Archive, draft: Draft) -> None:
    """Add what the spine lists, in its order."""
    package_name = _package_name(archive)
    package = _Package()
    read_xml(archive.read(package_name), package)
    draft.title, draft.language = tidy(package.title), tidy(package.language)[:35]
    folder = posixpath.dirname(package_name)
    read: set[str] = set()  # none twice, however often the spine names it
    for item in package.spine:
        href, kind, properties = package.manifest.get(item, ("", "", ""))
        if kind not in _XHTML or "nav" in properties.split():
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
        if name in archive and name not in read:
            read.add(name)
            _Page(draft).read(archive.read(name))


def _package_name(archive: Archive) -> str:
    container = _Container()
    read_xml(archive.read("META-INF/container.xml"), container)
    if not container.package:
        raise UnreadableDocument("It names no package.")
    return container.package


class _Container:
    """META-INF/container.xml: where the package is."""

    def __init__(self) -> None:
        self.package = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rootfile" and not self.package:
            self.package = attribute(attributes, "full-path")

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class _Package:
    """The package: title, language, files by id, and their order."""

    def __init__(self) -> None:
        self.title = self.language = ""
        self.manifest: dict[str, tuple[str, str, str]] = {}
        self.spine: list[str] = []
        self._within = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._within = name
        if name == "item":
            self.manifest[attributes.get("id", "")] = (
                attributes.get("href", ""),
                attributes.get("media-type", ""),
                attributes.get("properties", ""),
            )
        elif name == "itemref" and attributes.get("linear") != "no":
            self.spine.append(attributes.get("idref", ""))

    def end(self, name: str) -> None:
        self._within = ""

    def data(self, text: str) -> None:
        if self._within == "title" and len(self.title) < 1000:
            self.title += text
        elif self._within == "language" and len(self.language) < 100:
            self.language += text


class _Page:
    """One XHTML file: its first heading is the chapter's title, blocks are paragraphs."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._script = Script(draft)
        self._text: list[str] = []
        self._silent = 0
        self._heading = ""
        self._has_chapter = False

    def read(self, data: bytes) -> None:
        read_xml(data, self)
        self._finish()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = attribute(attributes, "type")
        if self._silent or name in _SILENT or kind in _NO_CHAPTER or kind == "pagebreak":
            self._silent += 1
        elif name in _BLOCKS:
            self._finish()
            self._heading = name if name in _HEADINGS else ""
        elif name == "br":
            self._text.append("\n")

    def end(self, name: str) -> None:
        if self._silent:
            self._silent -= 1
        elif name in _BLOCKS:
            self._finish()
            self._heading = ""

    def data(self, text: str) -> None:
        if not self._silent:
            self._text.append(text)

    def _finish(self) -> None:
        text, self._text = tidy("".join(self._text)), []
        if not text:
            return
        if not self._has_chapter:
            self._script.chapter(text if self._heading else "")
            self._has_chapter = True
        self._script.paragraph(text)
