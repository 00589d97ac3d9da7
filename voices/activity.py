"""Where in a recording somebody speaks: a simple detector of voiced sound that comes and goes.

Looks at level, pitch and movement, not at words: it tells speech from silence, noise, hum and
tones, and takes singing for speech. Knows nothing of files or Django.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from voices.wav import Samples

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]

RATE = 16_000
HOP = 160  # 10 ms
HOP_SECONDS = HOP / RATE
_FRAME = 512
_FFT = 1024
_BATCH = 256
_SILENCE_DB = -100.0

_QUIETEST_DB = -60.0
_ABOVE_FLOOR_DB = 9.0
_BELOW_TOP_DB = 12.0
# Lags of 60 to 450 Hz, the pitch of voices.
_LAGS = slice(RATE // 450, RATE // 60)
_PERIODIC = 0.4
# A pure tone has nearly all its energy in one place, a voice never has.
_TONAL = 0.85
# Hum and buzz stay at one level, syllables do not.
_MOVEMENT_DB = 3.0
_REACH = 12  # hops around voiced sound that belong to it: consonants, short closures
_SHORTEST_PAUSE = 15  # hops


@dataclass(frozen=True, slots=True)
class Activity:
    """Levels in dBFS and whether somebody speaks, for every 10 ms."""

    levels: Floats
    speech: Mask

    @property
    def seconds(self) -> float:
        return float(self.speech.sum()) * HOP_SECONDS

    def segments(self) -> list[tuple[float, float]]:
        """Begin and end in seconds of what lies between pauses."""
        edges = np.flatnonzero(np.diff(np.concatenate(([0], self.speech, [0]))))
        found: list[tuple[int, int]] = []
        for begin, end in edges.reshape(-1, 2).tolist():
            if found and begin - found[-1][1] < _SHORTEST_PAUSE:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
        return [(begin * HOP_SECONDS, end * HOP_SECONDS) for begin, end in found]


def find_speech(samples: Samples, sample_rate: int) -> Activity:
    """Listen to a whole recording."""
    sound = soxr.resample(samples, sample_rate, RATE) if sample_rate != RATE else samples
    parts = [_look(frames) for frames in _frames(sound)]
    levels, voiced = (np.concatenate(part) for part in zip(*parts, strict=True))
    floor, top = np.percentile(levels, (10, 95))
    threshold = max(_QUIETEST_DB, min(floor + _ABOVE_FLOOR_DB, top - _BELOW_TOP_DB))
    active = levels > threshold
    voiced &= active
    if not voiced.any() or _movement(levels[voiced]) < _MOVEMENT_DB:
        return Activity(levels, np.zeros(len(levels), np.bool_))
    reached = np.convolve(voiced, np.ones(2 * _REACH + 1))[_REACH:-_REACH] > 0
    return Activity(levels, reached & active)


def _movement(levels: Floats) -> float:
    low, high = np.percentile(levels, (10, 90))
    return float(high - low)


def _frames(sound: Samples) -> Iterator[Samples]:
    """Overlapping frames around every hop, some hundred at a time."""
    padded = np.pad(sound, (_FRAME // 2, _FRAME))
    count = -(-len(sound) // HOP)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::HOP][:count]
    for start in range(0, count, _BATCH):
        yield windows[start : start + _BATCH]


def _look(frames: Samples) -> tuple[Floats, Mask]:
    """The level of each frame, and whether it sounds like a voice."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    power = np.square(centred).mean(axis=1)
    levels = np.maximum(_SILENCE_DB, 10 * np.log10(power + 1e-12))
    # Raising the treble makes all kinds of noise alike: without any period.
    bright = np.diff(centred, axis=1, prepend=centred[:, :1]) * np.hanning(_FRAME)
    spectrum = np.abs(np.fft.rfft(bright, _FFT)) ** 2
    total = spectrum.sum(axis=1) + 1e-12
    correlation = np.fft.irfft(spectrum)[:, : _FRAME // 2 + 16] * _WINDOW_LOSS
    periodic = correlation[:, _LAGS].max(axis=1) > _PERIODIC * (correlation[:, 0] + 1e-12)
    peaks = spectrum.argmax(axis=1)
    nearby = np.clip(peaks[:, None] + np.arange(-4, 5), 0, spectrum.shape[1] - 1)
    tonal = np.take_along_axis(spectrum, nearby, 1).sum(axis=1) > _TONAL * total
    return levels, periodic & ~tonal


def _window_loss() -> Floats:
    """What the window takes from the correlation at each lag, as a factor to give it back."""
    window = np.hanning(_FRAME)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)[: _FRAME // 2 + 16]
    return np.asarray(own[0] / own)


_WINDOW_LOSS = _window_loss()
