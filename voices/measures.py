"""What can be measured of a recording, in numbers that people know: seconds, dBFS, hertz, shares.

Judges nothing; ``voices/samples.py`` does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from voices.activity import HOP_SECONDS, RATE, Activity
from voices.wav import Samples

_SILENCE_DB = -100.0
_FULL_SCALE = 0.999
_FLAT = 3  # so many samples in a row at full scale are a clipped wave
_FFT = 4096
# The band ends where the spectrum stays this far below its loudest place.
_BAND_DB = 55.0


@dataclass(frozen=True, slots=True)
class Measures:
    """Of the recording as it came in, before anything is cut or made louder."""

    seconds: float
    speech_seconds: float
    speech_share: float
    speech_level_db: float
    peak_db: float
    noise_floor_db: float
    signal_to_noise_db: float
    clipped_share: float
    dc: float
    bandwidth_hz: int
    silence_before: float
    silence_after: float


def measure(samples: Samples, sample_rate: int, activity: Activity) -> Measures:
    """All of them, rounded to what can be told apart."""
    seconds = len(samples) / sample_rate
    level = speech_level(activity)
    floor = _noise_floor(activity)
    segments = activity.segments()
    dc = float(samples.mean(dtype=np.float64))
    return Measures(
        seconds=round(seconds, 3),
        speech_seconds=round(activity.seconds, 2),
        speech_share=round(min(1.0, activity.seconds / seconds), 3),
        speech_level_db=round(level, 1),
        peak_db=round(_db(float(np.abs(samples - np.float32(dc)).max())), 1),
        noise_floor_db=round(floor, 1),
        signal_to_noise_db=round(max(0.0, level - floor), 1),
        clipped_share=round(_clipped(samples), 5),
        dc=round(dc, 4),
        bandwidth_hz=_bandwidth(samples, sample_rate, activity),
        silence_before=round(segments[0][0], 2) if segments else round(seconds, 2),
        silence_after=round(max(0.0, seconds - segments[-1][1]), 2) if segments else 0.0,
    )


def speech_level(activity: Activity) -> float:
    """The mean level while somebody speaks, or of everything when nobody does."""
    heard = activity.levels[activity.speech] if activity.speech.any() else activity.levels
    return float(10 * np.log10(np.mean(10 ** (heard / 10))))


def _db(amplitude: float) -> float:
    return max(_SILENCE_DB, 20 * math.log10(amplitude + 1e-12))


def _noise_floor(activity: Activity) -> float:
    """The level of the pauses; of a recording without any, its quietest moments."""
    pauses = activity.levels[~activity.speech]
    if activity.speech.any() and len(pauses) * HOP_SECONDS >= 0.2:
        return float(np.percentile(pauses, 30))
    return float(np.percentile(activity.levels, 3))


def _clipped(samples: Samples) -> float:
    """The share of samples that stand in a flat row at full scale."""
    full = np.abs(samples) >= _FULL_SCALE
    rows = np.convolve(full, np.ones(_FLAT), "valid") >= _FLAT
    return float(rows.sum()) / len(samples)


def _bandwidth(samples: Samples, sample_rate: int, activity: Activity) -> int:
    """Up to where there is anything to hear while somebody speaks."""
    total = np.zeros(_FFT // 2 + 1)
    window = np.hanning(_FFT)
    for start in range(0, len(samples) - _FFT, _FFT):
        hop = int(start / sample_rate * RATE / (RATE * HOP_SECONDS))
        if not activity.speech.any() or activity.speech[min(hop, len(activity.speech) - 1)]:
            total += np.abs(np.fft.rfft(samples[start : start + _FFT] * window)) ** 2
    if not total.any():
        return 0
    smooth = np.convolve(total, np.ones(9) / 9, "same")
    heard = np.flatnonzero(10 * np.log10(smooth / smooth.max() + 1e-20) > -_BAND_DB)
    return int(heard[-1] * sample_rate / _FFT)
