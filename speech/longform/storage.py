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
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from speech.audio import AudioWriter
from speech.audio.pcm import Samples
from speech.audio.stored import read_flac
from speech.job_models import Job
from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)


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


def size_of(key: str) -> int:
    with _told_apart():
        return int(default_storage.size(key))


def open_file(key: str) -> File[bytes]:
    """What is kept under ``key``, to be read and sought in."""
    with _told_apart():
        return default_storage.open(key)


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
    """Remove a job with all that was made of it: the rows first, so that nothing names a file that
    is gone."""
    keys = kept(job)
    job.delete()
    for key in keys:
        forget(key)
    with suppress(OSError, NotImplementedError):
        default_storage.delete(folder(job))  # a directory, where there are directories


def kept(job: Job) -> list[str]:
    """The keys of all files of a job."""
    with _told_apart():
        try:
            _, names = default_storage.listdir(folder(job))
        except FileNotFoundError:
            return []
    return [f"{folder(job)}/{name}" for name in names]


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
