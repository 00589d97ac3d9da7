"""Programs of the operator's own that listen to recordings, each time in a process of their own:
their models, and whatever goes wrong with them, stay out of the server."""

from __future__ import annotations

import logging
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

from voices.exceptions import ProgramUnavailable

logger = logging.getLogger(__name__)
NONE = "none"
SECONDS = 120
"""That a program may take for one question, its start included."""
_ROOT = Path(__file__).resolve().parent.parent


def name_of(command: str) -> str:
    """What a program is called in records."""
    return Path(shlex.split(command)[0]).name


def ask(
    command: list[str],
    unavailable: type[ProgramUnavailable],
    *,
    wav: bytes = b"",
    recordings: Sequence[bytes] = (),
) -> str:
    """What it prints: ``wav`` is its standard input, ``recordings`` are files named behind its
    arguments, which lie in no directory. Raises ``unavailable``."""
    with ExitStack() as opened:
        files = [opened.enter_context(TemporaryFile()) for _ in recordings]
        for file, recording in zip(files, recordings, strict=True):
            file.write(recording)
            file.flush()
            file.seek(0)
        numbers = [file.fileno() for file in files]
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own words
                [*command, *(f"/dev/fd/{number}" for number in numbers)],
                input=wav,
                capture_output=True,
                timeout=SECONDS,
                check=True,
                cwd=_ROOT,
                pass_fds=numbers,
            )
            return done.stdout.decode().strip()
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()[-2000:]
            logger.error("%s ended with status %d: %s", command[0], error.returncode, said)
            raise unavailable from error
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
            logger.error("%s failed: %s", command[0], error)
            raise unavailable from error
