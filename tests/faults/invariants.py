"""What a refused request must leave behind: nothing."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Trace:
    """What there is of the platform outside its process: rows, reservations, files."""

    usage_rows: int
    reserved_characters: int
    reserved_ms: int
    used_characters: int
    open_streams: int
    files: frozenset[str]

    @classmethod
    def of(cls, data_dir: Path) -> Trace:
        with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:

            def one(query: str) -> int:
                return database.execute(query).fetchone()[0] or 0

            return cls(
                one("SELECT count(*) FROM speech_usagerecord"),
                one("SELECT sum(characters_reserved) FROM accounts_counter"),
                one("SELECT sum(ms_reserved) FROM accounts_counter"),
                one("SELECT sum(characters_used) FROM accounts_counter"),
                one("SELECT sum(open_streams) FROM accounts_keyuse"),
                frozenset(_files(data_dir)),
            )

    @classmethod
    def at_rest(cls, data_dir: Path, seconds: float = 30) -> Trace:
        """As ``of``, once what was answered before is settled: that is after the last byte."""
        deadline = time.monotonic() + seconds
        while (trace := cls.of(data_dir)).is_under_way:
            assert time.monotonic() < deadline, trace
            time.sleep(0.02)
        return trace

    @property
    def is_under_way(self) -> bool:
        return any((self.open_streams, self.reserved_characters, self.reserved_ms))


def _files(data_dir: Path) -> list[str]:
    skipped = (".log", "-wal", "-shm")
    found = (path for path in data_dir.rglob("*") if not path.name.endswith(skipped))
    return [str(path.relative_to(data_dir)) for path in found]


def resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def deleted_files_held_open(pid: int) -> list[str]:
    """Temporary files that were unlinked but still take space: bodies nobody let go of."""
    held = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(entry.path)
        except FileNotFoundError:
            continue
        if target.endswith("(deleted)") and "/memfd:" not in target:
            held.append(target)
    return held
