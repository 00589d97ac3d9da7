"""What a backup of one machine holds, and how it comes back without what was erased meanwhile.

A database server's rows and a bucket's objects are theirs to back up.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection

DATABASE = "voxplatform.sqlite3"
TOMBSTONES = "tombstones.jsonl"
KEPT = (DATABASE, "secrets", "media", TOMBSTONES)


def _data() -> Path:
    return Path(settings.DATA_DIR)


def has_live_server() -> bool:
    """Whether a server answers that serves from this data directory."""
    try:
        url = json.loads((_data() / "server.json").read_text())["url"]
        with urllib.request.urlopen(f"{url}/livez", timeout=2):  # noqa: S310 - our own address
            return True
    except (OSError, ValueError, KeyError):
        return False


def write(file: Path) -> list[str]:
    """All that is kept here, in one archive for the platform's user alone; what it holds.

    Raises OSError, also where the file is there already, and sqlite3.Error.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(descriptor, "wb") as sink,
        TemporaryDirectory(dir=_data(), prefix=".backup-") as place,
        tarfile.open(fileobj=sink, mode="w:gz") as archive,
    ):
        found = {name: _data() / name for name in KEPT if (_data() / name).exists()}
        found.pop(DATABASE, None)
        if connection.vendor == "sqlite":
            found[DATABASE] = _copy_of_database(Path(place))
        for name, path in found.items():
            archive.add(path, name)
    return sorted(found)


def _copy_of_database(place: Path) -> Path:
    """Whole and without what was erased, while others write."""
    copy = place / DATABASE
    with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"])) as database:
        database.execute("VACUUM INTO ?", [str(copy)])
    return copy


def merge_tombstones(backup: Path) -> None:
    """What the backup knows to be erased is erased here as well: none is ever lost."""
    ours = _data() / TOMBSTONES
    known = set(ours.read_text().splitlines()) if ours.exists() else set()
    theirs = backup / TOMBSTONES
    new = set(theirs.read_text().splitlines()) - known if theirs.exists() else set()
    if new:
        descriptor = os.open(ours, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n" + "\n".join(sorted(new)) + "\n")
            file.flush()
            os.fsync(descriptor)


def put_in_place(backup: Path) -> Path | None:
    """Move the backup's parts where they belong, and what was there aside; returns where to."""
    aside = _data() / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    for name in KEPT:
        if name == TOMBSTONES or not (backup / name).exists():
            continue
        for old in (name, f"{name}-wal", f"{name}-shm"):
            if (_data() / old).exists():
                (_data() / old).rename(aside / old)
        (backup / name).rename(_data() / name)
    if any(aside.iterdir()):
        return aside
    aside.rmdir()
    return None
