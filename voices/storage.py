"""Where recordings are kept: Django's default storage, under random names that tell nothing.

Whatever goes wrong there is StorageUnavailable, so that callers need not know which storage it is.
What is being stored stands in a row until other rows own it, so that nothing is left of what a
crash or a broken connection interrupts.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, models, transaction
from django.utils import timezone

from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)
# Longer than any request takes that stores something.
_ABANDONED = timedelta(minutes=10)


class UnclaimedObject(models.Model):
    """Something that is being stored, and that no other row owns yet."""

    key = models.CharField(max_length=200, unique=True)
    since = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key

    def discard(self) -> None:
        """Remove the object and forget it. Raises StorageUnavailable."""
        forget(self.key)
        self.delete()


@dataclass(frozen=True, slots=True)
class Stored:
    """Where something is kept, and what it is."""

    key: str
    sha256: str
    size: int


@contextmanager
def keeping(data: bytes) -> Iterator[Stored]:
    """Store a recording in one transaction with the rows that the block writes, or not at all."""
    digest = hashlib.sha256(data).hexdigest()
    with keeping_file(ContentFile(data), "recordings", ".wav") as key:
        yield Stored(key, digest, len(data))


@contextmanager
def keeping_file(content: File[Any], folder: str, suffix: str) -> Iterator[str]:
    """The same for any file; yields its key."""
    unclaimed = UnclaimedObject.objects.create(key=_new_key(folder, suffix))
    _save(unclaimed.key, content)
    is_wanted = False
    try:
        with transaction.atomic():
            yield unclaimed.key
            # From here on the block's rows own it, if it was not given up meanwhile.
            if not UnclaimedObject.objects.filter(pk=unclaimed.pk).delete()[0]:
                raise StorageUnavailable
        is_wanted = True
    finally:
        if not is_wanted:
            # Else it waits for ``sweep``.
            with suppress(StorageUnavailable, DatabaseError, InterfaceError):
                unclaimed.discard()


def lend(content: File[Any], folder: str, suffix: str, lifetime: timedelta) -> str:
    """Store a file that nobody will own; ``sweep`` removes it after its ``lifetime``. Its key."""
    key = _new_key(folder, suffix)
    UnclaimedObject.objects.create(key=key, since=timezone.now() + lifetime - _ABANDONED)
    _save(key, content)
    return key


def _new_key(folder: str, suffix: str) -> str:
    name = secrets.token_urlsafe(24)
    return f"{folder}/{name[:2]}/{name}{suffix}"


def _save(key: str, content: File[Any]) -> None:
    """Store it. Where that fails nobody knows what arrived, or still will: the row stays, so that
    ``sweep`` removes it later once more."""
    try:
        with _told_apart():
            if default_storage.save(key, content) != key:
                raise OSError("the storage chose another name")
    except StorageUnavailable:
        with suppress(StorageUnavailable):
            forget(key)
        raise


def give_up(key: str) -> None:
    """In the caller's transaction: nobody owns it any more, ``sweep`` removes it soon."""
    UnclaimedObject.objects.create(key=key, since=timezone.now() - _ABANDONED)


def sweep() -> int:
    """Remove what was stored and never owned; how much of it is still there."""
    left = 0
    for unclaimed in UnclaimedObject.objects.filter(since__lt=timezone.now() - _ABANDONED)[:500]:
        try:
            unclaimed.discard()
        except StorageUnavailable:
            left += 1
    return left


def read(key: str) -> bytes:
    """What was kept under ``key``."""
    with _told_apart(), default_storage.open(key) as kept:
        return bytes(kept.read())


def opened(key: str) -> File[bytes]:
    """It as a file that can be searched; whoever asks closes it."""
    with _told_apart():
        return default_storage.open(key)


def size(key: str) -> int:
    with _told_apart():
        return default_storage.size(key)


def link(key: str, content_type: str, disposition: str) -> str | None:
    """A signed URL that soon ends, where the storage has such; None where we serve it ourselves."""
    sign = getattr(default_storage, "signed_url", None)
    if sign is None:
        return None
    with _told_apart():
        return str(sign(key, content_type, disposition))


def forget(key: str) -> None:
    """Remove it; what is not there any more is no failure."""
    with _told_apart(), suppress(FileNotFoundError):
        default_storage.delete(key)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Whatever kind of storage it is: what it raises becomes StorageUnavailable."""
    try:
        yield
    except OSError as error:
        logger.warning("the storage of recordings failed: %s", error)
        raise StorageUnavailable from error
