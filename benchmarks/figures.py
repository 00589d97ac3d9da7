"""Arithmetic on measurements, and the verdicts on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many per cent do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure against what it should reach, ``at_least`` or at most."""

    subject: str
    measured: float
    reach: float
    unit: str
    at_least: bool = False

    @property
    def passed(self) -> bool:
        return self.measured >= self.reach if self.at_least else self.measured <= self.reach

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        word = "PASS" if self.passed else "FAIL"
        return (
            f"{word}  {self.subject}: {self.measured:.4g} {self.unit}, "
            f"reach {sign} {self.reach:g} {self.unit}"
        )
