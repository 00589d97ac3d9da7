"""Erasing for good: a tombstone first, then the rows, then the objects, and a receipt of all three.

A tombstone is a line in a file beside the database, with an id and hashes only, so that what was
erased stays erased when an older backup of the database is restored. Whatever is killed on the way
is finished later by ``finish_all``.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from voices import storage
from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)
_RECENT = timedelta(minutes=2)


class Erasure(models.Model):
    """The receipt: what was erased, by hash, and when it was finished."""

    class Kind(models.TextChoices):
        VOICE = "voice"
        CONSENT = "consent"
        DESIGN = "design"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    public_id = models.CharField(max_length=40, db_index=True)
    hashes = models.JSONField(default=list, help_text="SHA-256 of every recording.")
    waiting = models.JSONField(default=list, help_text="Keys of objects that are still there.")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(
                fields=["started_at"],
                condition=models.Q(finished_at__isnull=True),
                name="erasures_to_finish",
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @classmethod
    def begin(cls, kind: str, public_id: str, recordings: dict[str, str]) -> Erasure:
        """Write the tombstone; the caller's transaction changes the rows. Keys and their hashes."""
        erasure = cls._of(kind, public_id, recordings)
        erasure._entomb()
        erasure.save()
        return erasure

    @classmethod
    def with_change(cls, kind: str, public_id: str, recordings: dict[str, str]) -> Erasure:
        """The same where erasing is not what was asked for: as long as the caller's transaction
        may yet be undone there is no tombstone, which would make it final."""
        erasure = cls._of(kind, public_id, recordings)
        erasure.save()
        return erasure

    @classmethod
    def _of(cls, kind: str, public_id: str, recordings: dict[str, str]) -> Erasure:
        kept = {key: digest for key, digest in recordings.items() if key}
        hashes = sorted(set(kept.values()))
        return cls(kind=kind, public_id=public_id, hashes=hashes, waiting=sorted(kept))

    def _entomb(self) -> None:
        entomb(self.kind, self.public_id, self.hashes)

    def finish(self) -> None:
        """Delete the objects. Raises StorageUnavailable, and may be tried again."""
        self._entomb()
        for key in self.waiting:
            storage.forget(key)
        self.waiting, self.finished_at = [], timezone.now()
        self.save(update_fields=["waiting", "finished_at"])
        forget_old_pages()

    def finish_if_possible(self) -> None:
        """Finish now, or leave it to ``finish_all``: for callers it is erased either way."""
        try:
            self.finish()
        except StorageUnavailable:
            logger.warning("the objects of %s are deleted later", self.public_id)


def finish_all() -> int:
    """Finish what was interrupted; how many are still waiting for their storage."""
    left = 0
    for erasure in Erasure.objects.filter(finished_at=None):
        try:
            erasure.finish()
        except StorageUnavailable:
            left += 1
    return left


def overwrite_recently_erased() -> None:
    """Once more: a reader that was there at the moment keeps SQLite from emptying its log."""
    if Erasure.objects.filter(finished_at__gt=timezone.now() - _RECENT).exists():
        forget_old_pages()


def forget_old_pages() -> None:
    """SQLite overwrites what it deletes (``secure_delete``), but its log holds older pages."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# -- the file


def _file() -> Path:
    return Path(settings.TOMBSTONES_FILE)


def entomb(kind: str, public_id: str, hashes: Iterable[str] = ()) -> None:
    """Write that it is erased, where that is not written yet. Raises StorageUnavailable."""
    if (kind, public_id) not in tombstones():
        _append({"kind": kind, "id": public_id, "sha256": list(hashes)})


def _append(tombstone: dict[str, Any]) -> None:
    """One line, on the disk before anything else happens."""
    # The leading break keeps a line that a crash cut short from swallowing this one.
    at = timezone.now().isoformat(timespec="seconds")
    line = "\n" + json.dumps({**tombstone, "at": at}) + "\n"
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageUnavailable from error


def tombstones() -> set[tuple[str, str]]:
    """Kind and id of all that was ever erased. A line that was cut by a crash counts for nothing:
    its change was not made either."""
    if not _file().exists():
        return set()
    found = set()
    for line in _file().read_text(encoding="utf-8").splitlines():
        try:
            stone = json.loads(line)
        except json.JSONDecodeError:
            continue
        found.add((stone["kind"], stone["id"]))
    return found
