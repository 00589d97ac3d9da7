"""A stream at one sample rate becomes a stream at another.

soxr's HQ filter: flat to 0.45 of the lower rate, aliases 130 dB down, about 40 ms of look-ahead.
"""

from __future__ import annotations

import numpy as np
import soxr

from .pcm import Samples


class Resampler:
    """Carries mono float32 from ``input_rate`` to ``output_rate`` Hz, piece by piece.

    The whole output is ``n * output_rate / input_rate`` samples long to the nearest one, aligned
    with the input, and the same however the input was cut. Equal rates pass the samples through.
    """

    def __init__(self, input_rate: int, output_rate: int) -> None:
        self._stream = (
            soxr.ResampleStream(input_rate, output_rate, 1, dtype="float32", quality="HQ")
            if input_rate != output_rate
            else None
        )

    def process(self, samples: Samples) -> Samples:
        """What can be said of the output once ``samples`` are known; may be empty."""
        return self._resample(samples, last=False)

    def flush(self) -> Samples:
        """The rest of the output. Nothing may be processed afterwards."""
        return self._resample(np.zeros(0, dtype=np.float32), last=True)

    def _resample(self, samples: Samples, *, last: bool) -> Samples:
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples, last=last)
        return resampled
