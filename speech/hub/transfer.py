"""Brings one file onto the disk: resumes what is there, tries again after a cut, checks the digest.

A file has its own name only once it is whole and verified; until then it is ``.incomplete``. Knows
nothing of models, and of a hub only what a RemoteFile says.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

import httpx

from speech.hub.errors import FetchError
from speech.hub.hubs import RemoteFile

BLOCK = 1024 * 1024
# Seconds before each further attempt; a byte that arrives in between starts the row anew.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KEPT = "what was fetched is kept, and the next attempt goes on from there."


def places(file: RemoteFile, directory: Path) -> tuple[Path, Path]:
    """Where a whole file lies, and where one does that is still coming.

    The latter is named by digest: what belongs to another version is not continued.
    """
    return directory / file.path, directory / f"{file.path}.{file.digest[:16]}.incomplete"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Wrong(Exception):
    """What came is not what the hub describes; it is not worth keeping."""


class Source:
    """Where files come from: a client, what shows who asks, and how patient one is."""

    def __init__(
        self, client: httpx.Client, headers: dict[str, str], pauses: tuple[float, ...] = PAUSES
    ) -> None:
        self.client = client
        self.pauses = pauses
        self._headers = {"accept-encoding": "identity", **headers}

    def request(self, url: str, offset: int) -> httpx.Request:
        """A request for the bytes from ``offset`` on."""
        wanted = {"range": f"bytes={offset}-"} if offset else {}
        return self.client.build_request("GET", url, headers=self._headers | wanted)

    def fetch(self, file: RemoteFile, directory: Path, progress: Callable[[int], None]) -> None:
        """Leave ``file`` whole and verified in ``directory``, or raise FetchError.

        ``progress`` hears how many of its bytes are there.
        """
        final, partial = places(file, directory)
        try:
            if final.exists():
                final.replace(partial)  # to be verified again: it may be of another version
            with partial.open("a+b") as out:
                _Transfer(self, file, out, progress).run()
                out.flush()
                os.fsync(out.fileno())
            partial.rename(final)
        except _Wrong as error:
            partial.unlink()
            raise FetchError(str(error)) from None
        except OSError as error:
            raise FetchError(_disk_trouble(directory, error)) from error


class _Transfer:
    """One file on its way into ``out``, which stands at its end."""

    def __init__(
        self, source: Source, file: RemoteFile, out: IO[bytes], progress: Callable[[int], None]
    ) -> None:
        self._source = source
        self._file = file
        self._out = out
        self._progress = progress
        self._done = 0
        self._digest = self._new_digest()

    def run(self) -> None:
        """Fetch what is missing, then compare the digest."""
        self._read_what_is_there()
        pauses = list(self._source.pauses)
        while self._done < self._file.size:
            before = self._done
            reason = self._attempt()
            if self._done > before:
                pauses = list(self._source.pauses)
            if self._done < self._file.size:
                self._wait(pauses, reason)
        if not self._matches():
            raise _Wrong(
                f"{self._file.path} does not match the checksum that the hub states for it, "
                "so it was deleted."
            )

    def _wait(self, pauses: list[float], reason: str) -> None:
        if not pauses:
            host = urlsplit(self._file.url).netloc
            raise FetchError(f"{self._file.path} cannot be fetched from {host}: {reason}; {_KEPT}")
        time.sleep(pauses.pop(0))

    def _attempt(self) -> str:
        """Fetch as far as the connection carries; why it ended, where it ended early."""
        request = self._source.request(self._file.url, self._done)
        try:
            response = self._source.client.send(request, stream=True)
            try:
                return self._take(response)
            finally:
                response.close()
        except httpx.TimeoutException:
            return "nothing came for too long"
        except httpx.HTTPError as error:
            return str(error).rstrip(".") or "the connection broke"

    def _take(self, response: httpx.Response) -> str:
        status = response.status_code
        if status == 416 or (status == 206 and not self._continues(response)):
            self._restart()
            return "the rest of it is refused"
        if status == 429 or status >= 500:
            return f"the answer was {status}"
        if status not in (200, 206):
            raise FetchError(f"{self._file.path} cannot be fetched: the hub answered {status}.")
        if status == 200:
            self._restart()
        # As it comes: what waits for a larger block is lost when the connection breaks.
        for block in response.iter_bytes():
            self._keep(block)
        return "the connection ended early"

    def _continues(self, response: httpx.Response) -> bool:
        span: str = response.headers.get("content-range", "")
        return span.startswith(f"bytes {self._done}-")

    def _keep(self, block: bytes) -> None:
        if self._done + len(block) > self._file.size:
            raise _Wrong(f"{self._file.path} is longer than the hub says, so it was deleted.")
        self._out.write(block)
        self._count(block)

    def _count(self, block: bytes) -> None:
        self._digest.update(block)
        self._done += len(block)
        self._progress(self._done)

    def _read_what_is_there(self) -> None:
        self._out.seek(0)
        while block := self._out.read(BLOCK):
            self._count(block)
        # Whole but of another version, or damaged: better fetched again than refused.
        if self._done > self._file.size or (self._done == self._file.size and not self._matches()):
            self._restart()

    def _matches(self) -> bool:
        return self._digest.hexdigest() == self._file.digest

    def _restart(self) -> None:
        self._out.truncate(0)
        self._done = 0
        self._digest = self._new_digest()

    def _new_digest(self) -> _Digest:
        if self._file.algorithm == "sha256":
            return hashlib.sha256()
        # What git calls a blob; files that are not in LFS have no other digest.
        return hashlib.sha1(b"blob %d\0" % self._file.size, usedforsecurity=False)


def _disk_trouble(directory: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"The disk is full at {directory.parent}: make room; {_KEPT}"
    return f"{error.filename or directory} cannot be written: {error.strerror}."
