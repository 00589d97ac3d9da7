"""What pages that play speech need to know."""

from __future__ import annotations

from speech.audio.encoders import PCM_RATE
from speech.runtime import runtime


def sample_rate() -> int:
    """What the engine speaks at, so that nothing is resampled on the way; asked for by name, since
    another engine may run by then."""
    info = runtime.known_info()
    return info.sample_rate if info else PCM_RATE
