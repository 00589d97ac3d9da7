"""A tape: what a synthesis makes, written down while it is heard, for histories that keep audio.

Under ``DATA_DIR/tapes`` as 16-bit samples; when it has ended it is encoded and stored on a thread
of its own, so that nobody waits for a disk or a network.
"""

from __future__ import annotations

import logging
import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.db import DatabaseError, connection

from speech.audio import to_s16, write_file
from speech.audio.pcm import Samples
from speech.audio.stored import read_s16
from speech.history import AUDIO_FORMAT, add_audio

logger = logging.getLogger(__name__)
_OLD_SECONDS = 3600
_writer = ThreadPoolExecutor(1, thread_name_prefix="tapes")


class Tape:
    """Written by one synthesis. A full disk costs the recording, not what is being heard."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        directory = Path(settings.DATA_DIR) / "tapes"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = directory / f"{secrets.token_hex(16)}.s16"
        self._is_lost = False

    def write(self, samples: Samples) -> None:
        """A few kilobytes into the page cache."""
        if self._is_lost:
            return
        try:
            with self._path.open("ab") as file:
                file.write(to_s16(samples).tobytes())
        except OSError as error:
            self._lose(error)

    def keep(self, record_id: int) -> Future[None]:
        """Store it with the history's row of this usage record; returns at once."""
        return _writer.submit(self._keep, record_id)

    def _keep(self, record_id: int) -> None:
        encoded = self._path.with_suffix(f".{AUDIO_FORMAT}")
        try:
            try:
                self._store(record_id, encoded)
            finally:
                self._path.unlink(missing_ok=True)
                encoded.unlink(missing_ok=True)
        except (OSError, DatabaseError) as error:
            self._lose(error)
        finally:
            connection.close()

    def _store(self, record_id: int, encoded: Path) -> None:
        if self._is_lost or not self._path.exists():
            return
        write_file(encoded, AUDIO_FORMAT, read_s16(self._path, self._rate), self._rate)
        name = secrets.token_urlsafe(24)
        with encoded.open("rb") as file:
            add_audio(record_id, f"history/{name[:2]}/{name}.{AUDIO_FORMAT}", File(file))

    def _lose(self, error: Exception) -> None:
        self._is_lost = True
        logger.warning("audio is missing from the history: %s", error)


def sweep() -> None:
    """Remove what a process that died has left."""
    for path in (Path(settings.DATA_DIR) / "tapes").glob("*"):
        with suppress(FileNotFoundError):  # it was stored meanwhile
            if path.stat().st_mtime < time.time() - _OLD_SECONDS:
                path.unlink()
