"""Samples to bytes: six formats, files, resampling, speed, and what the numbers say.

Pure: knows no engine, no text and no Django. The names below are the package; nothing else is.
"""

from __future__ import annotations

from .encoders import ENCODERS, AudioWriter, Encoder, create_encoder
from .files import write_file
from .pcm import is_finite, is_silent, peak, silence, to_s16
from .resampling import Resampler
from .tempo import Tempo

__all__ = [
    "ENCODERS",
    "AudioWriter",
    "Encoder",
    "Resampler",
    "Tempo",
    "create_encoder",
    "is_finite",
    "is_silent",
    "peak",
    "silence",
    "to_s16",
    "write_file",
]
