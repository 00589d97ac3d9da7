"""From decoded sound to a sample that lends a voice: checked, cut, brought to one loudness.

Runs inside the decoder's child; the report and the finished WAV are all that leaves it. Knows
nothing of containers or Django.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from voices.activity import HOP_SECONDS, Activity, find_speech
from voices.exceptions import RefusedRecording
from voices.limits import LIMITS
from voices.measures import Measures, measure, speech_level
from voices.wav import Samples, write_wav

_SPEECH_DB = -20.0
_PEAK = 0.89  # -1 dBFS
_MARGIN = 0.1  # seconds kept around what is cut out
_FADE = 0.005
_SEARCH = 2.0  # how far back the quietest place may lie where speech must be cut without a pause


class Cut(StrEnum):
    """What may be cut away: all but the best piece, or, where words belong to it, only silence;
    what is kept to be listened to by people may be as long as a recording may be."""

    BEST = "best"
    ENDS = "ends"
    HEARD = "heard"


class Severity(StrEnum):
    """A failure refuses the recording, a warning wants an override, a note only says so."""

    FAILURE = "failure"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, what that means, and what was kept: seconds of the recording."""

    measures: Measures
    findings: tuple[Finding, ...]
    kept_from: float
    kept_to: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Report:
        findings = tuple(
            Finding(Severity(finding["severity"]), finding["code"], finding["message"])
            for finding in stored["findings"]
        )
        measures = Measures(**stored["measures"])
        return cls(measures, findings, stored["kept_from"], stored["kept_to"])

    def of(self, severity: Severity) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is severity]

    def check(self, *, override: bool = False) -> None:
        """Raise RefusedRecording for a failure, and for a warning that nobody overrides."""
        for failure in self.of(Severity.FAILURE):
            raise RefusedRecording(failure.code, failure.message)
        warnings = self.of(Severity.WARNING)
        if warnings and not override:
            reasons = " ".join(warning.message for warning in warnings)
            raise RefusedRecording(
                "recording_has_warnings", f"{reasons} Send override=true to use it all the same."
            )


@dataclass(frozen=True, slots=True)
class Sample:
    """What is stored: 16-bit mono at the recording's own rate, and its report."""

    wav: bytes
    sample_rate: int
    report: Report


def prepare(samples: Samples, sample_rate: int, cut: Cut) -> Sample:
    """Measure, judge, cut and level a recording."""
    activity = find_speech(samples, sample_rate)
    measures = measure(samples, sample_rate, activity)
    begin, end = _kept(activity, measures.seconds, cut)
    findings = tuple(_findings(measures, end - begin, cut))
    kept = samples[round(begin * sample_rate) : round(end * sample_rate)]
    level = speech_level(activity)
    wav = write_wav(_levelled(kept, sample_rate, level), sample_rate)
    report = Report(measures, findings, round(begin, 3), round(end, 3))
    return Sample(wav, sample_rate, report)


# -- what to keep


def _kept(activity: Activity, seconds: float, cut: Cut) -> tuple[float, float]:
    """From where to where, in seconds."""
    segments = activity.segments()
    if not segments:
        begin, end = 0.0, seconds
    elif cut is Cut.BEST:
        begin, end = _best(segments, activity)
    else:
        begin, end = segments[0][0], segments[-1][1]
    if cut is Cut.BEST and end - begin > LIMITS.reference_seconds - 2 * _MARGIN:
        end = _quietest(activity, begin, begin + LIMITS.reference_seconds - 2 * _MARGIN)
    return max(0.0, begin - _MARGIN), min(seconds, end + _MARGIN)


def _best(segments: list[tuple[float, float]], activity: Activity) -> tuple[float, float]:
    """The run of whole segments with the most speech that is not too long; the first of equals."""
    longest = LIMITS.reference_seconds - 2 * _MARGIN
    spoken = np.concatenate(([0], np.cumsum(activity.speech)))
    best, most = segments[0], -1
    for first, (begin, _) in enumerate(segments):
        for _, end in segments[first:]:
            if end - begin > longest:
                break
            speech = spoken[round(end / HOP_SECONDS)] - spoken[round(begin / HOP_SECONDS)]
            if speech > most:
                best, most = (begin, end), speech
    # Somebody who never pauses is cut on the way instead.
    unbroken = max(segments, key=lambda segment: segment[1] - segment[0])
    is_longer = unbroken[1] - unbroken[0] > longest and most * HOP_SECONDS < longest / 2
    return unbroken if is_longer else best


def _quietest(activity: Activity, begin: float, end: float) -> float:
    """Where to stop before ``end``: the quietest moment of the last two seconds."""
    start = max(begin, end - _SEARCH)
    first = round(start / HOP_SECONDS)
    window = activity.levels[first : round(end / HOP_SECONDS)]
    return (first + int(window.argmin())) * HOP_SECONDS if len(window) else end


def _levelled(samples: Samples, sample_rate: int, level: float) -> Samples:
    """Without DC, with soft ends, at one loudness of speech as far as the peaks allow."""
    sound: Samples = samples - np.float32(samples.mean(dtype=np.float64))
    ramp = np.linspace(0, 1, min(round(_FADE * sample_rate), len(sound) // 2), dtype=np.float32)
    if len(ramp):
        sound[: len(ramp)] *= ramp
        sound[-len(ramp) :] *= ramp[::-1]
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak:
        return sound
    gain = min(10 ** ((_SPEECH_DB - level) / 20), _PEAK / peak)
    sound *= np.float32(gain)
    return sound


# -- what it means


def _findings(measures: Measures, kept: float, cut: Cut) -> Iterator[Finding]:
    for severity, code, applies, message in _judgements(measures, kept, cut):
        if applies:
            yield Finding(severity, code, message)


def _judgements(found: Measures, kept: float, cut: Cut) -> list[tuple[Severity, str, bool, str]]:
    """Every rule, the gravest first: severity, code, whether it applies, and the words for it."""
    noisy = found.signal_to_noise_db
    return [
        (
            Severity.FAILURE,
            "audio_too_short",
            found.seconds < LIMITS.shortest,
            f"The recording lasts {found.seconds:.2f} s; it must last {LIMITS.shortest:g} s.",
        ),
        (
            Severity.FAILURE,
            "audio_silent",
            found.peak_db < -50 or found.speech_level_db < -65,
            "The recording is silent.",
        ),
        (
            Severity.FAILURE,
            "audio_clipped",
            found.clipped_share > 0.02,
            f"{found.clipped_share:.1%} of the recording is clipped: record it with less gain.",
        ),
        (
            Severity.FAILURE,
            "no_speech",
            found.speech_seconds < LIMITS.least_speech,
            f"Only {found.speech_seconds:.1f} s of the recording are speech; "
            f"at least {LIMITS.least_speech:g} s are needed.",
        ),
        (
            Severity.FAILURE,
            "audio_too_long",
            cut is Cut.ENDS and kept > LIMITS.prompt_seconds + 2 * _MARGIN,
            f"With its words a recording may hold {LIMITS.prompt_seconds:g} s from the first word "
            f"to the last, and this one holds {kept:.1f} s: send a shorter piece with the words "
            "of that piece, or leave the words out.",
        ),
        (
            Severity.FAILURE,
            "audio_too_noisy",
            noisy < 6,
            f"The speech stands only {noisy:.0f} dB above the noise: record in a quiet room.",
        ),
        (
            Severity.WARNING,
            "clipped",
            0.001 < found.clipped_share <= 0.02,
            f"{found.clipped_share:.1%} of the recording is clipped; the voice may sound harsh.",
        ),
        (
            Severity.WARNING,
            "noisy",
            6 <= noisy < 15,
            f"The speech stands {noisy:.0f} dB above the noise, which the voice will carry.",
        ),
        (
            Severity.WARNING,
            "quiet",
            -65 <= found.speech_level_db < -45,
            f"The speech is very quiet ({found.speech_level_db:.0f} dBFS).",
        ),
        (
            Severity.WARNING,
            "muffled",
            found.bandwidth_hz < 3400,
            f"There is nothing to hear above {found.bandwidth_hz} Hz, as over a telephone.",
        ),
        (
            Severity.NOTE,
            "dc",
            abs(found.dc) > 0.02,
            "The recording has an offset, which was removed.",
        ),
        (
            Severity.NOTE,
            "little_speech",
            found.speech_seconds < 3,
            "With 5 to 12 s of speech the voice comes out better.",
        ),
        (
            Severity.NOTE,
            "cut",
            kept < found.seconds - 1,
            f"{kept:.1f} s of {found.seconds:.1f} s are kept.",
        ),
    ]
