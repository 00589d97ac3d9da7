"""Where the audio of jobs lies: one folder a job in Django's default storage, as 16-bit FLAC.

Every attempt has a name of its own, so that what a row names is never written over; what no row
names is swept when a job is claimed and when it ends.
"""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from speech.audio import AudioWriter
from speech.audio.pcm import Samples
from speech.audio.stored import read_flac
from speech.job_models import Job
from speech.job_parts import ErasedFolder
from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)
# Longer than what was being said, or stored, when a job was erased.
_LATEST = timedelta(minutes=10)
_AGAIN = timedelta(minutes=1)
_AT_ONCE = 20


def folder(job: Job) -> str:
    return f"jobs/{job.public_id}"


def keep_segment(job: Job, index: int, samples: Samples, rate: int) -> str:
    """Store what was said; returns its key. It is on the disk when this returns."""
    target = io.BytesIO()
    writer = AudioWriter(target, "flac", rate)
    try:
        writer.write(samples)
        writer.finish()
    finally:
        writer.close()
    name = f"{folder(job)}/{index:06}-{secrets.token_hex(8)}.flac"
    with _told_apart():
        return default_storage.save(name, ContentFile(target.getvalue()))


def read_segment(key: str) -> tuple[Samples, int]:
    """The samples that were kept under ``key``, and their rate."""
    with _told_apart(), default_storage.open(key) as file:
        pieces = list(read_flac(io.BytesIO(file.read())))
    rate = pieces[0][1] if pieces else 0
    return np.concatenate([samples for samples, _ in pieces] or [np.zeros(0, np.float32)]), rate


def keep_file(job: Job, name: str, path: Path) -> str:
    """Store a finished file of the job; returns its key."""
    with _told_apart(), path.open("rb") as file:
        return default_storage.save(f"{folder(job)}/{secrets.token_hex(8)}-{name}", File(file))


def forget(key: str) -> None:
    """Remove it; what is not there any more is no failure."""
    if key:
        with _told_apart():
            default_storage.delete(key)


def sweep(job: Job) -> None:
    """Remove the files of a job that none of its rows names."""
    named = set(job.segments.exclude(audio="").values_list("audio", flat=True))
    named |= set(job.outputs.exclude(file="").values_list("file", flat=True))
    job.refresh_from_db(fields=["takes"])
    named |= {take["audio"] for take in job.takes.values()}
    for key in kept(job):
        if key not in named:
            forget(key)


def erase(job: Job) -> None:
    """Remove a job with all that was made of it: its rows at once, its files now or, where the
    storage does not let go of them, by ``finish_erasing``."""
    with transaction.atomic():
        look_at = timezone.now() + _LATEST
        ErasedFolder.objects.get_or_create(name=folder(job), defaults={"look_at": look_at})
        job.delete()
    with suppress(StorageUnavailable):
        _empty(folder(job))


def finish_erasing() -> None:
    """Empty folders of erased jobs, once nobody can be at work in them any more."""
    due = ErasedFolder.objects.filter(look_at__lt=timezone.now()).order_by("look_at")
    for erased in due[:_AT_ONCE]:
        try:
            _empty(erased.name)
        except StorageUnavailable:  # behind the others: one may be worse than they are
            ErasedFolder.objects.filter(pk=erased.pk).update(look_at=timezone.now() + _AGAIN)
        else:
            erased.delete()


def _empty(name: str) -> None:
    for key in _keys_in(name):
        forget(key)
    with suppress(OSError, NotImplementedError):
        default_storage.delete(name)  # a directory, where there are directories


def kept(job: Job) -> list[str]:
    """The keys of all files of a job."""
    return _keys_in(folder(job))


def _keys_in(name: str) -> list[str]:
    with _told_apart():
        try:
            _, names = default_storage.listdir(name)
        except FileNotFoundError:
            return []
    return [f"{name}/{file}" for file in names]


@contextmanager
def _told_apart() -> Iterator[None]:
    """Whatever kind of storage it is: what it raises becomes StorageUnavailable."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        logger.warning("the storage of jobs failed: %s", error)
        raise StorageUnavailable from error
