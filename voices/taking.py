"""From sound to a sample that may be kept: measured, judged as the settings say, words counted."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from django.conf import settings

from voices.decoding import decode
from voices.samples import Cut, Sample, prepare
from voices.transcriber import check_words
from voices.transcripts import check_transcript
from voices.wav import Samples


def take(
    recording: BinaryIO, size: int, cut: Cut, *, transcript: str = "", override: bool = False
) -> Sample:
    """The checked sample in ``size`` bytes of somebody's ``recording``. Raises RefusedRecording.

    ``override`` accepts warnings; with ``VOICE_CHECKS=report`` the report alone says what is bad.
    """
    sample = decode(recording, size, cut)
    if settings.VOICE_CHECKS == "refuse":
        sample.report.check(override=override)
    if transcript:
        check_transcript(transcript, sample.report.measures.speech_seconds)
        check_words(sample.wav, transcript, "transcript")
    return sample


def take_own(samples: Samples, sample_rate: int, said: str) -> Sample:
    """What a model has spoken passes the same check, but nobody is asked about warnings: it is
    our own sound, and needs no decoder. Raises RefusedRecording."""
    sample = prepare(np.clip(samples, -1, 1), sample_rate, Cut.ENDS)
    if settings.VOICE_CHECKS == "refuse":
        sample.report.check(override=True)
        check_transcript(said, sample.report.measures.speech_seconds)
    return sample
