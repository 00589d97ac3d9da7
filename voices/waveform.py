"""A recording as a picture: the loudest moment of each of its pieces, as an SVG path."""

from __future__ import annotations

import numpy as np

from voices.wav import Samples

COLUMNS = 300
HEIGHT = 100


def waveform(samples: Samples) -> str:
    """The path's ``d``, ``COLUMNS`` wide and ``HEIGHT`` high."""
    parts = np.array_split(np.abs(samples), min(COLUMNS, max(1, len(samples))))
    peaks = [float(part.max(initial=0.0)) for part in parts]
    middle = HEIGHT / 2
    return "".join(
        f"M{column} {middle - peak * middle:.1f}V{middle + max(peak, 0.01) * middle:.1f}"
        for column, peak in enumerate(peaks)
    )
