"""The one decode path of the platform: whatever people send becomes a checked sample here, decoded
in a child process that is limited in memory and time and ends with its file.

Knows nothing of Django or of where a sample is kept.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from voices.exceptions import RecordingTooLarge, RefusedRecording
from voices.limits import LIMITS
from voices.messages import encode_head, read_message
from voices.samples import Cut, Report, Sample

_ROOT = Path(__file__).resolve().parent.parent
_COPY_BYTES = 64 * 1024
# Nothing of ours: no secrets, and one thread for libraries that would start one per core.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class DecoderBroken(RuntimeError):
    """The child ended by itself: that is our fault and not the file's."""


class Decoder:
    """A limited child process. One file each, except where the files are our own (tests)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "voices.decoder"],
            cwd=_ROOT,
            env=_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A pipe, because the child may write no files, and a log is one.
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with suppress(BrokenPipeError):  # what was still buffered for a child that has gone
                pipe.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def decode(self, upload: BinaryIO, size: int, cut: Cut) -> Sample:
        """The sample in ``size`` bytes of ``upload``. Raises RefusedRecording."""
        if size > LIMITS.upload_bytes:
            raise RecordingTooLarge(LIMITS.upload_bytes)
        watch = threading.Timer(LIMITS.child_seconds, self._process.kill)
        watch.start()
        try:
            head, wav = self._ask(upload, size, cut)
        finally:
            watch.cancel()
        if "code" in head:
            raise RefusedRecording(head["code"], head["message"])
        return Sample(wav, head["sample_rate"], Report.from_json(head["report"]))

    def _ask(self, upload: BinaryIO, size: int, cut: Cut) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(encode_head({"cut": cut}, size))
            while piece := upload.read(_COPY_BYTES):
                self._process.stdin.write(piece)
            self._process.stdin.flush()
            answer = read_message(self._process.stdout)
        except BrokenPipeError:
            answer = None
        if answer is None:
            raise self._end()
        return answer

    def _end(self) -> Exception:
        """Why there is no answer: killed by its limits or by the file, or broken by us."""
        assert self._process.stderr is not None
        code = self._process.wait()
        if code > 0:
            said = self._process.stderr.read().decode(errors="replace")
            return DecoderBroken(f"The decoder ended with status {code}: {said}")
        return RefusedRecording("invalid_audio", "The file takes too much time or memory.")


def decode(upload: BinaryIO, size: int, cut: Cut) -> Sample:
    """The sample in an upload, decoded in a child of its own. Raises RefusedRecording."""
    with Decoder() as decoder:
        return decoder.decode(upload, size, cut)
