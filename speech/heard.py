"""What a person has just heard: every take is kept for a while, so that it can be had in any format
and need not be made again.

Under ``DATA_DIR/takes``, a directory for each person: a path is made of the asker's own id, so that
nobody's take is within anybody else's reach. As 16-bit samples at the engine's rate, which stands
in the name; what was made of them lies beside them. All of it goes after TAKE_MINUTES, the oldest
earlier where TAKES_MB are full.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from speech.audio import to_s16, write_file
from speech.audio.pcm import Samples
from speech.audio.stored import read_s16

_NAME = re.compile(r"([0-9]{4,6})-[a-f0-9]{26}")


class TakeGone(Exception):
    """There is no such take of this person, or not any more."""


class Recorder:
    """Writes one take while it is being heard; it is there when it was kept."""

    def __init__(self, user_id: int, sample_rate: int) -> None:
        self.name = f"{sample_rate}-{secrets.token_hex(13)}"
        self._path = _directory(user_id) / self.name
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._part = self._path.with_suffix(".part")
        self._file = self._part.open("xb")

    def write(self, samples: Samples) -> None:
        self._file.write(to_s16(samples).tobytes())

    def keep(self) -> None:
        """From now on it can be had. Makes room for it first."""
        self._file.close()
        sweep()
        self._part.rename(self._path)

    def drop(self) -> None:
        """Nobody heard it to its end. Does nothing once it is kept."""
        with suppress(OSError):  # on a full disk what is still to be written has no room
            self._file.close()
        with suppress(OSError):  # else it goes as what is too old
            self._part.unlink(missing_ok=True)


def encoded(user_id: int, name: str, format: str) -> bytes:
    """A take in one of ``speech.audio.ENCODERS``, as a file of it. Raises TakeGone."""
    known = _NAME.fullmatch(name)
    path = _directory(user_id) / name
    if known is None or not path.is_file():
        raise TakeGone
    made = path.with_suffix(f".{format}")
    rate = int(known[1])
    try:
        if not made.exists():
            write_file(made, format, read_s16(path, rate), rate)
        return made.read_bytes()
    except FileNotFoundError:  # it was swept meanwhile
        raise TakeGone from None


def forget(user_id: int) -> None:
    """All that this person has heard."""
    shutil.rmtree(_directory(user_id), ignore_errors=True)


def sweep() -> None:
    """Remove what is too old, and then the oldest until the rest has room."""
    room = settings.TAKES_MB * 1024 * 1024
    oldest = time.time() - settings.TAKE_MINUTES * 60
    for made, size, path in sorted(_files(), reverse=True):
        room -= size
        if made < oldest or room < 0:
            path.unlink(missing_ok=True)


def _files() -> Iterator[tuple[float, int, Path]]:
    for path in (settings.DATA_DIR / "takes").glob("*/*"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # swept by another server
        yield stat.st_mtime, stat.st_size, path


def _directory(user_id: int) -> Path:
    return Path(settings.DATA_DIR / "takes" / str(user_id))
