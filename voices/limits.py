"""What a recording may be, and what decoding one may cost: published in docs/voices.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and hertz."""

    upload_bytes: int = 10 * 2**20
    shortest: float = 1.0
    longest: float = 30.0
    least_speech: float = 1.0
    lowest_rate: int = 8_000
    highest_rate: int = 192_000
    channels: int = 2

    stored_rate: int = 48_000
    # Longer references make the model stop early; a continuation shares its 30 s with the prompt.
    reference_seconds: float = 12.0
    prompt_seconds: float = 15.0

    # Of this the libraries themselves take 200 MB without touching more than 50.
    child_bytes: int = 400 * 2**20
    # Many times what the longest recording takes; what takes more is made to.
    child_cpu_seconds: int = 4
    child_seconds: float = 20.0


LIMITS = Limits()
