"""Reading what people bring: text, Markdown, subtitles, epub and docx become chapters.

Pure: knows no Django, no engine and no voices. The names below are the package.
"""

from __future__ import annotations

from .document import (
    Chapter,
    Document,
    DocumentTooLarge,
    Paragraph,
    UnreadableDocument,
)
from .reading import FORMATS, read_document, read_text

__all__ = [
    "FORMATS",
    "Chapter",
    "Document",
    "DocumentTooLarge",
    "Paragraph",
    "UnreadableDocument",
    "read_document",
    "read_text",
]
