"""Where recordings are kept: Django's default storage, under random names that tell nothing.

Whatever goes wrong there is StorageUnavailable, so that callers need not know which storage it is.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """Where something is kept, and what it is."""

    key: str
    sha256: str
    size: int


@contextmanager
def keeping(data: bytes) -> Iterator[Stored]:
    """Store a recording for the rows that are written in this block; without them it goes again."""
    stored, is_wanted = _keep(data), False
    try:
        yield stored
        is_wanted = True
    finally:
        if not is_wanted:
            forget(stored.key)


def _keep(data: bytes) -> Stored:
    """Store a recording under a new random key."""
    name = secrets.token_urlsafe(24)
    with _told_apart():
        key = default_storage.save(f"recordings/{name[:2]}/{name}.wav", ContentFile(data))
    return Stored(key, hashlib.sha256(data).hexdigest(), len(data))


def read(key: str) -> bytes:
    """What was kept under ``key``."""
    with _told_apart(), default_storage.open(key) as kept:
        return bytes(kept.read())


def forget(key: str) -> None:
    """Remove it; what is not there any more is no failure."""
    with _told_apart():
        default_storage.delete(key)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Whatever kind of storage it is: what it raises becomes StorageUnavailable."""
    try:
        yield
    except OSError as error:
        logger.warning("the storage of recordings failed: %s", error)
        raise StorageUnavailable from error
