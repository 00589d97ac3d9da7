"""A zip from a stranger: few entries, honest methods, and never more bytes than were promised.

What an entry is called is only looked up, never used as a path.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

from .document import DocumentTooLarge, UnreadableDocument

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is unpacked at most: entries, bytes of one and bytes of all."""

    entries: int = 5000
    entry_bytes: int = 16 * 2**20
    all_bytes: int = 64 * 2**20


class Archive:
    """Reads entries by name within ``bounds``."""

    def __init__(self, data: bytes, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._left = self._bounds.all_bytes
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise UnreadableDocument("The file is damaged.") from None
        entries = self._zip.infolist()
        if len(entries) > self._bounds.entries:
            raise DocumentTooLarge("There are too many files in it.")
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise UnreadableDocument("Two files in it have the same name.")

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """An entry's bytes. Whatever its head says of its size, the bounds hold."""
        entry = self._entries.get(name)
        if entry is None:
            raise UnreadableDocument("A file is missing in it.")
        if entry.flag_bits & _ENCRYPTED:
            raise UnreadableDocument("The file is encrypted.")
        if entry.compress_type not in _METHODS:
            raise UnreadableDocument("The file is packed in a way that is not read here.")
        most = min(self._bounds.entry_bytes, self._left)
        try:
            with self._zip.open(entry) as file:
                data = file.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError):
            raise UnreadableDocument("The file is damaged.") from None
        if len(data) > most:
            raise DocumentTooLarge("Unpacked, the document is too large.")
        self._left -= len(data)
        return data
