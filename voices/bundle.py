"""A zip of recordings with a table of their names: what it holds, read within limits, whatever a
broken or hostile archive says of itself. Nothing is ever unpacked to disk.

Pure: knows nothing of rows or storages.
"""

from __future__ import annotations

import csv
import io
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from voices.limits import LIMITS

TABLE = "voices.csv"
COLUMNS = ("file", "name", "transcript", "language", "description", "consent", "override")
MOST_FILES = 1000
MOST_BYTES = 1024 * 1024 * 1024
"""Of all recordings together, unpacked."""
_TABLE_BYTES = 2 * 1024 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class RefusedBundle(Exception):
    """The archive or its table cannot be used; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, as it was written."""

    file: str
    name: str
    transcript: str = ""
    language: str = ""
    description: str = ""
    consent: str = ""
    override: bool = False


class Bundle:
    """An archive that was looked through; raises RefusedBundle where it is not sane."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._archive = zipfile.ZipFile(file)
        except _BROKEN:
            raise RefusedBundle("This is not a zip, or a broken one.") from None
        self._entries = _checked(self._archive.infolist())
        self.rows = _rows(self._table())

    def read(self, name: str) -> bytes:
        """One recording, no longer than a recording may be. Raises RefusedBundle."""
        if name not in self._entries:
            raise RefusedBundle("There is no such file in the archive.")
        return self._read(name, LIMITS.upload_bytes)

    def _table(self) -> str:
        if TABLE not in self._entries:
            raise RefusedBundle(f"There is no {TABLE} at the top of the archive.")
        try:
            return self._read(TABLE, _TABLE_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RefusedBundle(f"{TABLE} is not UTF-8.") from None

    def _read(self, name: str, limit: int) -> bytes:
        """What is counted is what comes out, not what the archive says."""
        try:
            with self._archive.open(self._entries[name]) as packed:
                content = packed.read(limit + 1)
        except _BROKEN:
            raise RefusedBundle(f"{name} is broken.") from None
        if len(content) > limit:
            raise RefusedBundle(f"{name} is larger than {limit // 2**20} MiB.")
        return content


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Files by name. Raises RefusedBundle for what no honest archive holds."""
    files = [entry for entry in entries if not entry.is_dir()]
    if len(files) > MOST_FILES + 1:
        raise RefusedBundle(f"The archive holds more than {MOST_FILES} files.")
    if sum(entry.file_size for entry in files) > MOST_BYTES:
        raise RefusedBundle(f"Unpacked it would take more than {MOST_BYTES // 2**20} MiB.")
    for entry in files:
        name = entry.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name:
            raise RefusedBundle("A file's name leads out of the archive.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise RefusedBundle(f"{name} is a link.")
        if entry.flag_bits & _ENCRYPTED:
            raise RefusedBundle(f"{name} is encrypted.")
        if entry.compress_type not in _METHODS:
            raise RefusedBundle(f"{name} is packed in a way we do not unpack.")
    twice = [name for name, count in Counter(e.filename for e in files).items() if count > 1]
    if twice:
        raise RefusedBundle(f"{twice[0]} stands twice in the archive.")
    return {entry.filename: entry for entry in files}


def _rows(table: str) -> list[Row]:
    """The table's lines. Raises RefusedBundle."""
    try:
        reader = csv.DictReader(io.StringIO(table, newline=""), strict=True)
        columns = [column.strip().lower() for column in reader.fieldnames or ()]
        _check_columns(columns)
        reader.fieldnames = columns
        rows = [_row(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise RefusedBundle(f"{TABLE} is not a table: {error}.") from None
    if not 0 < len(rows) <= MOST_FILES:
        raise RefusedBundle(f"{TABLE} must have 1 to {MOST_FILES} lines below its head.")
    for field in ("file", "name"):
        counted = Counter(getattr(row, field).casefold() for row in rows)
        if twice := [value for value, count in counted.items() if count > 1]:
            raise RefusedBundle(f"{TABLE}: the {field} {twice[0][:60]!r} stands there twice.")
    return rows


def _check_columns(columns: list[str]) -> None:
    if unknown := [column for column in columns if column not in COLUMNS]:
        raise RefusedBundle(f"{TABLE}: there is no column {unknown[0][:40]!r}.")
    if len(set(columns)) < len(columns) or not {"file", "name"} <= set(columns):
        raise RefusedBundle(f"{TABLE} needs the columns file and name, each once.")


def _row(line: int, cells: dict[str | None, str | None]) -> Row:
    if None in cells or None in cells.values():
        raise RefusedBundle(f"{TABLE}, line {line}: it has more or fewer cells than the head.")
    told = {str(column): str(cell).strip() for column, cell in cells.items()}
    if "\0" in "".join(told.values()):
        raise RefusedBundle(f"{TABLE}, line {line}: it holds characters that are not text.")
    override = told.pop("override", "").lower()
    if override not in ("", "true", "false"):
        raise RefusedBundle(f"{TABLE}, line {line}: override is true or false.")
    if len(told["file"]) > 500 or len(told["name"]) > 100 or not told["file"]:
        raise RefusedBundle(f"{TABLE}, line {line}: file or name is missing or too long.")
    return Row(**told, override=override == "true")


def pack(folder: Path, sink: BinaryIO) -> None:
    """A folder with such a table as such an archive. Raises RefusedBundle and OSError."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    if len(paths) > MOST_FILES + 1:
        raise RefusedBundle(f"The folder holds more than {MOST_FILES} files.")
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise RefusedBundle(f"{name} is a link.")
            if path.stat().st_size > LIMITS.upload_bytes:
                raise RefusedBundle(f"{name} is larger than {LIMITS.upload_bytes // 2**20} MiB.")
            archive.write(path, name)
