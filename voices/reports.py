"""The check of a recording in words: what was measured, whether that is good, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from voices.samples import Report, Severity

GOOD, WARN, BAD = "good", "warn", "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure: its name, its value, ``good``, ``warn`` or ``bad``, and a sentence."""

    title: str
    value: str
    verdict: str
    words: str


def measured(report: Report) -> list[Line]:
    """The measures that people can do something about."""
    found = report.measures
    codes = {finding.code: finding.severity for finding in report.findings}
    return [
        _line(
            codes,
            _("Speech"),
            _("%(seconds).1f s") % {"seconds": found.speech_seconds},
            ("audio_too_short", "no_speech", "little_speech"),
            _("Enough to know the voice by."),
            _("With 5 to 12 seconds of speech the voice comes out better."),
        ),
        _line(
            codes,
            _("Noise"),
            _("%(db).0f dB below the speech") % {"db": found.signal_to_noise_db},
            ("audio_too_noisy", "noisy"),
            _("The room is quiet."),
            _("The voice will carry the noise. Record in a quieter room."),
        ),
        _line(
            codes,
            _("Level"),
            _("%(db).0f dBFS") % {"db": found.speech_level_db},
            ("audio_silent", "quiet"),
            _("Loud enough."),
            _("Very quiet. Go nearer to the microphone."),
        ),
        _line(
            codes,
            _("Clipping"),
            _("%(share).2f %%") % {"share": 100 * found.clipped_share},
            ("audio_clipped", "clipped"),
            _("Nothing is clipped."),
            _("The voice may sound harsh. Record with less gain."),
        ),
        _line(
            codes,
            _("Bandwidth"),
            _("%(khz).1f kHz") % {"khz": found.bandwidth_hz / 1000},
            ("muffled",),
            _("All of the voice is there."),
            _("As over a telephone. Use a better microphone."),
        ),
    ]


def _line(
    codes: dict[str, Severity],
    title: str,
    value: str,
    concerning: tuple[str, ...],
    good: str,
    otherwise: str,
) -> Line:
    graves = {codes[code] for code in concerning if code in codes}
    verdict = BAD if Severity.FAILURE in graves else WARN if graves else GOOD
    return Line(title, value, verdict, otherwise if graves else good)
