"""From bytes and a file name, or from pasted text, to a Document: what it is is decided by content,
and only between kinds of text by the name."""

from __future__ import annotations

from .archive import Archive
from .document import Document, Draft, UnreadableDocument
from .docx import read_docx
from .encodings import decode_text
from .epub import read_epub
from .plain import read_markdown, read_plain, read_subtitles

FORMATS = ("txt", "md", "srt", "epub", "docx")
_OF_NAMES = {
    "txt": read_plain,
    "text": read_plain,
    "md": read_markdown,
    "markdown": read_markdown,
    "srt": read_subtitles,
}
_ZIP = b"PK\x03\x04"


def read_document(data: bytes, name: str, limit: int) -> Document:
    """What ``data``, a file called ``name``, has to say. Raises UnreadableDocument."""
    draft = Draft(limit)
    if data.startswith(_ZIP):
        archive = Archive(data)
        if "word/document.xml" in archive:
            read_docx(archive, draft)
        elif "META-INF/container.xml" in archive:
            read_epub(archive, draft)
        else:
            raise UnreadableDocument("This is neither an epub nor a docx.")
    else:
        _read_as(name.rpartition(".")[2].lower(), decode_text(data), draft)
    return _named(draft, name)


def read_text(text: str, limit: int, kind: str = "txt") -> Document:
    """Pasted text; ``kind`` is txt, md or srt."""
    draft = Draft(limit)
    _read_as(kind, text, draft)
    return draft.document()


def _read_as(kind: str, text: str, draft: Draft) -> None:
    if kind not in _OF_NAMES:
        raise UnreadableDocument(f"Send a file of one of these kinds: {', '.join(FORMATS)}.")
    _OF_NAMES[kind](text.replace("\r\n", "\n").replace("\r", "\n"), draft)


def _named(draft: Draft, name: str) -> Document:
    """Without a title of its own it goes by the file's name."""
    draft.title = draft.title or name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return draft.document()
