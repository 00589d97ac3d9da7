"""WAV, read and written by ourselves: the one container that no library needs to look at.

Reads PCM of 8 to 32 bits and floats, writes 16-bit mono. Knows nothing of Django.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voices.exceptions import RefusedRecording

Samples = npt.NDArray[np.float32]

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
# The last 14 bytes of a subformat that stands for a plain format tag.
_PLAIN_GUID = bytes.fromhex("000000001000800000aa00389b71")
_BLOCK_FRAMES = 65_536


@dataclass(frozen=True, slots=True)
class WavFormat:
    """What the fmt chunk says."""

    tag: int
    channels: int
    sample_rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def read_wav(data: bytes) -> tuple[WavFormat, memoryview]:
    """The format and the bytes of the samples. Raises RefusedRecording for a broken file.

    A data chunk that is cut, or that a streaming writer left open, holds what is there.
    """
    if len(data) < 12:
        raise RefusedRecording("invalid_audio", "The WAV file is cut off in its header.")
    view, position, form = memoryview(data), 12, None
    while position + 8 <= len(data):
        name = bytes(view[position : position + 4])
        (size,) = struct.unpack_from("<I", data, position + 4)
        body = view[position + 8 : position + 8 + size]
        if name == b"fmt ":
            form = _read_format(body)
        elif name == b"data":
            if form is None:
                break
            return form, body[: len(body) - len(body) % form.frame_bytes]
        position += 8 + size + size % 2
    raise RefusedRecording("invalid_audio", "The WAV file has no format or no samples.")


def _read_format(body: memoryview) -> WavFormat:
    if len(body) < 16:
        raise RefusedRecording("invalid_audio", "The WAV file is cut off in its format.")
    tag, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 40 and bytes(body[26:40]) == _PLAIN_GUID:
        (tag,) = struct.unpack_from("<H", body, 24)
    if (tag, bits) not in _READERS:
        raise RefusedRecording(
            "unsupported_codec", "The WAV file must hold PCM of 8 to 32 bits, or floats."
        )
    if not channels:
        raise RefusedRecording("unsupported_channels", "The WAV file has no channels.")
    return WavFormat(tag, channels, sample_rate, bits)


def wav_blocks(form: WavFormat, data: memoryview) -> Iterator[Samples]:
    """The samples as floats, ``(frames, channels)`` at a time."""
    step = _BLOCK_FRAMES * form.frame_bytes
    for start in range(0, len(data), step):
        samples = _READERS[form.tag, form.bits](data[start : start + step])
        yield samples.reshape(-1, form.channels)


def _read_24(data: memoryview) -> Samples:
    parts = np.frombuffer(data, np.uint8).reshape(-1, 3)
    whole = np.zeros((len(parts), 4), np.uint8)
    whole[:, 1:] = parts
    return (whole.view("<i4")[:, 0] / 2**31).astype(np.float32)


def _read_double(data: memoryview) -> Samples:
    with np.errstate(over="ignore"):  # what no float32 can hold becomes infinite, and is refused
        return np.frombuffer(data, "<f8").astype(np.float32)


_READERS: dict[tuple[int, int], Callable[[memoryview], Samples]] = {
    (_PCM, 8): lambda data: (
        (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    ),
    (_PCM, 16): lambda data: np.frombuffer(data, "<i2").astype(np.float32) / np.float32(2**15),
    (_PCM, 24): _read_24,
    (_PCM, 32): lambda data: (np.frombuffer(data, "<i4") / 2**31).astype(np.float32),
    (_FLOAT, 32): lambda data: np.frombuffer(data, "<f4").astype(np.float32),
    (_FLOAT, 64): _read_double,
}


def write_wav(samples: Samples, sample_rate: int) -> bytes:
    """A 16-bit mono file; the same samples always make the same bytes."""
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    head = struct.pack("<HHIIHH", _PCM, 1, sample_rate, sample_rate * 2, 2, 16)
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", 36 + len(pcm)),
            b"WAVEfmt ",
            struct.pack("<I", len(head)),
            head,
            b"data",
            struct.pack("<I", len(pcm)),
            pcm,
        )
    )


def read_own(data: bytes) -> tuple[Samples, int]:
    """What ``write_wav`` wrote: the samples and their rate."""
    form, body = read_wav(data)
    assert (form.tag, form.bits, form.channels) == (_PCM, 16, 1), "this is no file of ours"
    return np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768), form.sample_rate
