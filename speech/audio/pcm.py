"""Samples as numbers: the checks and conversions that every other part of audio rests on.

Audio is float32, one dimension, mono, full scale at -1..1. Knows no container and no engine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

FULL_SCALE = 32_768
"""What 1.0 is in 16 bits: readers divide by it, so that s16 -> float -> s16 changes nothing."""

_LARGEST = np.float32(FULL_SCALE - 1)


def to_s16(samples: Samples) -> npt.NDArray[np.int16]:
    """Little-endian 16-bit samples, rounded half to even; what is too loud saturates.

    Expects finite samples: NaN has no 16-bit value (see ``is_finite``).
    """
    scaled: Samples = samples.clip(-1.0, 1.0)  # a copy, on which the rest is done in place
    scaled *= FULL_SCALE
    np.rint(scaled, out=scaled)
    np.minimum(scaled, _LARGEST, out=scaled)
    return scaled.astype("<i2")


def is_finite(samples: Samples) -> bool:
    """Whether every sample is a number: a model that failed numerically says NaN or infinity."""
    return bool(np.isfinite(samples).all())


def peak(samples: Samples) -> float:
    """The largest magnitude, 0.0 for no samples."""
    return float(np.abs(samples).max(initial=0.0))


def is_silent(samples: Samples) -> bool:
    """Whether nothing would be heard: every sample rounds to zero in 16 bits."""
    return peak(samples) * FULL_SCALE < 0.5


def silence(seconds: float, sample_rate: int) -> Samples:
    """``seconds`` of zeros at ``sample_rate`` Hz."""
    return np.zeros(round(seconds * sample_rate), dtype=np.float32)
