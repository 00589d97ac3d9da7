"""Faults: what the tone engine is to get wrong, and when. Set by tests, never by a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Switches. A number says after how many chunks of a stream the fault strikes (0: before the
    first); None is off.

    ``match`` limits them to utterances whose text contains it, ``times`` to so many strikes in all.
    """

    match: str | None = None
    times: int | None = None
    raise_at: int | None = None
    """The step raises; that stream alone fails."""
    oom_at: int | None = None
    """The step runs out of memory."""
    nan_at: int | None = None
    """The chunk is not a number."""
    silent: bool = False
    """Nothing is heard at all."""
    hang_at: int | None = None
    """The step never returns."""
    die_at: int | None = None
    """The process kills itself (SIGKILL)."""
    short: int | None = None
    """The audio ends here, whatever is left of the text."""
    sticky: bool = False
    """``raise_at`` loses the device: every later step of this process raises as well."""
    slow: float = 0.0
    """Seconds that every step takes longer."""
    load_fail: int = 0
    """So many loads fail."""
    load_seconds: float = 0.0
    """Seconds that a load takes."""
