"""From many recordings to one that sounds like one: loudness, soft joins, and nothing too loud.

Two passes over the whole: the first measures (EBU R 128), the second applies one gain, so that
what was louder than its neighbours stays so. Piece by piece, however long it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from .pcm import Samples, peak

TARGET_LUFS = -18.0
FADE_SECONDS = 0.008
CEILING = 0.84
"""-1.5 dBFS: what a lossy format adds to a peak has room above it."""

_KNEE = 0.6
_MOST_LIMITED = 8.0  # peaks of speech go little beyond the ceiling; a crack may be bent by 18 dB
_QUIETEST_LUFS = -70.0
_FRAME_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Loudness:
    """What a whole measures; ``peak`` is the largest sample."""

    integrated: float
    peak: float

    @property
    def gain(self) -> float:
        """What brings it to the target, as far as its peaks allow; 1.0 for silence."""
        if self.integrated <= _QUIETEST_LUFS or not self.peak:
            return 1.0
        wanted: float = 10 ** ((TARGET_LUFS - self.integrated) / 20)
        return min(wanted, _MOST_LIMITED * CEILING / self.peak)

    @property
    def reached(self) -> float:
        """What it measures afterwards, in LUFS; bent peaks count for next to nothing."""
        return self.integrated + 20 * math.log10(self.gain)


class Meter:
    """Measures a stream of mono samples at ``rate`` Hz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._peak = 0.0
        self._integrated = _QUIETEST_LUFS
        self._position = 0
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt="flt",
            channel_layout="mono",
            time_base=f"1/{rate}",
        )
        meter = self._graph.add("ebur128", "metadata=1")
        self._graph.link_nodes(source, meter, self._graph.add("abuffersink")).configure()

    def add(self, samples: Samples) -> None:
        """Hear more of it."""
        self._peak = max(self._peak, peak(samples))
        step = round(_FRAME_SECONDS * self._rate)
        for start in range(0, len(samples), step):
            piece = samples[np.newaxis, start : start + step]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(piece), format="flt", layout="mono"
            )
            frame.sample_rate, frame.pts = self._rate, self._position
            frame.time_base = Fraction(1, self._rate)
            self._position += piece.shape[1]
            self._graph.push(frame)
            self._read()

    def close(self) -> Loudness:
        """What all of it measures."""
        self._graph.push(None)
        self._read()
        return Loudness(self._integrated, self._peak)

    def _read(self) -> None:
        while True:
            try:
                told = self._graph.pull().metadata
            except (BlockingIOError, EOFError):
                return
            value = float(told.get("lavfi.r128.I", "nan"))
            if np.isfinite(value):
                self._integrated = value


def measure(pieces: Iterable[Samples], rate: int) -> Loudness:
    """The loudness of all ``pieces`` together."""
    meter = Meter(rate)
    for samples in pieces:
        meter.add(samples)
    return meter.close()


def amplify(samples: Samples, gain: float) -> Samples:
    """Louder by ``gain``; what would pass the ceiling is bent towards it, and never reaches it."""
    louder: Samples = samples * np.float32(gain)
    size = np.abs(louder)
    if float(size.max(initial=0.0)) <= _KNEE:
        return louder
    room = CEILING - _KNEE
    bent = _KNEE + room * np.tanh(np.maximum(size - _KNEE, 0) / room)
    limited: Samples = np.where(size > _KNEE, np.sign(louder) * bent, louder).astype(np.float32)
    return limited


def soften(samples: Samples, rate: int) -> Samples:
    """The same with its first and last milliseconds faded: it begins and ends in silence."""
    length = min(round(FADE_SECONDS * rate), len(samples) // 2)
    if not length:
        return samples
    softened = samples.copy()
    rise = (np.sin(np.linspace(0, np.pi / 2, length, dtype=np.float32)) ** 2).astype(np.float32)
    softened[:length] *= rise
    softened[-length:] *= rise[::-1]
    return softened
