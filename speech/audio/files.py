"""Audio stored in a file: complete or absent, with true sizes, ready to be sought in.

Knows no storage but the local disk and nothing of what the audio is for.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from .encoders import AudioWriter
from .pcm import Samples


def write_file(
    path: str | os.PathLike[str],
    format: str,
    chunks: Iterable[Samples],
    input_rate: int,
    sample_rate: int | None = None,
) -> None:
    """Write float32 mono ``chunks`` at ``input_rate`` Hz to ``path``; rates as ``create_encoder``.

    The file takes its name when it is whole and on the disk; until then, and after any error,
    what stood at ``path`` stands. Raises ``ValueError`` as the encoders do, and ``OSError``.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("xb") as file:
            writer = AudioWriter(file, format, input_rate, sample_rate)
            try:
                for samples in chunks:
                    writer.write(samples)
                writer.finish()
            finally:
                writer.close()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
