"""Writers: samples at the container's own rate become bytes in a target, as early as they can.

The target only needs ``write()``. One that can seek also gets what is known at the end alone: true
sizes and lengths. Here are the two that need no codec; knows nothing of resampling.
"""

from __future__ import annotations

import struct
from typing import Protocol, runtime_checkable

from .pcm import Samples, to_s16

UNKNOWN_SIZE = 0xFFFFFFFF
"""A RIFF size for "until the stream ends"; readers treat 0 as an empty file."""


class Target(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


@runtime_checkable
class SeekableTarget(Target, Protocol):
    """Where bytes go that can be corrected afterwards, such as a file."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to ``offset``."""


class Writer(Protocol):
    """Turns samples into one container's bytes."""

    def write(self, samples: Samples) -> None:
        """Add finite mono samples at the writer's rate; too loud ones saturate."""

    def finish(self) -> None:
        """Write what was held back and the container's end. Once, and nothing after it."""

    def close(self) -> None:
        """Free the codec, finished or not. May be repeated."""


class PcmWriter:
    """Bare signed 16-bit little-endian samples."""

    def __init__(self, target: Target, sample_rate: int) -> None:
        self._target = target
        self._sample_rate = sample_rate

    def write(self, samples: Samples) -> None:
        """Add samples; what is beyond full scale saturates."""
        if len(samples):
            self._target.write(to_s16(samples).tobytes())

    def finish(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is no codec."""


class WavWriter(PcmWriter):
    """The 44-byte header and 16-bit samples, without further chunks.

    The header goes out in one write with the first samples: clients parse the first piece that
    arrives and look for sound at byte 44.
    """

    def __init__(self, target: Target, sample_rate: int) -> None:
        super().__init__(target, sample_rate)
        self._data_size: int | None = None

    def write(self, samples: Samples) -> None:
        """Add samples, behind the header if they are the first."""
        if len(samples):
            header = self._header(UNKNOWN_SIZE) if self._data_size is None else b""
            data = to_s16(samples).tobytes()
            self._target.write(header + data)
            self._data_size = (self._data_size or 0) + len(data)

    def finish(self) -> None:
        """Correct the header's sizes where the target lets us go back."""
        if self._data_size is None:
            self._target.write(self._header(0))
        elif isinstance(self._target, SeekableTarget):
            self._target.seek(0)
            self._target.write(self._header(self._data_size))

    def _header(self, data_size: int) -> bytes:
        """RIFF/WAVE as in Microsoft's Multimedia Data Standards Update (1994), PCM, mono."""
        riff_size = min(data_size + 36, UNKNOWN_SIZE)
        rate, data_size = self._sample_rate, min(data_size, UNKNOWN_SIZE)
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", riff_size, b"WAVE"),
            *(b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16),
            *(b"data", data_size),
        )
