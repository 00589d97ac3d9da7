"""Reading back what this platform has stored itself. Never for a file that came from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from .pcm import FULL_SCALE, Samples


def read_s16(path: Path, rate: int) -> Iterator[Samples]:
    """What ``to_s16`` wrote, a second at a time."""
    with path.open("rb") as file:
        while data := file.read(2 * rate):
            yield np.frombuffer(data, "<i2").astype(np.float32) / np.float32(FULL_SCALE)


def read_flac(file: BinaryIO) -> Iterator[tuple[Samples, int]]:
    """Float32 mono samples, piece by piece, each with its rate in Hz."""
    with av.open(file, "r", format="flac") as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().reshape(-1)
            if samples.dtype == np.int16:
                samples = np.divide(samples, FULL_SCALE, dtype=np.float32)
            yield samples.astype(np.float32, copy=False), frame.sample_rate
