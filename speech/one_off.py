"""Voices that are not stored: somebody's recording for one request alone, or a description."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from uuid import uuid4

from accounts.models import Account
from speech.engine.types import EngineInfo, Recording, VoicePrompt
from speech.errors import InvalidField
from speech.prompts import recorded_prompt
from speech.requests import SpeechRequest
from voices.exceptions import RefusedRecording
from voices.limits import LIMITS
from voices.resolving import needed_consent
from voices.samples import Cut
from voices.taking import take
from voices.wav import read_own

RECORDING = "recording"
DESIGN = "design"


@dataclass(frozen=True, slots=True)
class OneOff:
    """A recorded voice for one request: ``known`` is what usage calls it, the id of its consent if
    it has one, so that withdrawing that stops it as well."""

    known: str
    prompt: VoicePrompt
    digest: str

    @property
    def key(self) -> str:
        """What the engine is to forget when the request has ended."""
        return self.prompt.key.partition(":")[0]


def described(description: str) -> VoicePrompt:
    """In the words of a description, which only models that design voices understand."""
    digest = hashlib.sha256(description.encode()).hexdigest()
    return VoicePrompt(f"design:{digest}", description=description)


def recorded(request: SpeechRequest, account: Account, info: EngineInfo, language: str) -> OneOff:
    """By a recording that comes with the request and is not kept. Raises ConsentRequired, NotFound
    and RefusedRecording."""
    assert request.ref_audio is not None
    # As for a voice that is kept: what the policy asks for, in the same field.
    consent, _ = needed_consent((request.consent or "").strip(), account)
    if consent:
        consent.check_holds("consent")
        consent.check_covers(language)
    if len(request.ref_audio) > LIMITS.upload_bytes:
        raise InvalidField("ref_audio: The recording is too large.", "ref_audio")
    words = request.ref_text or ""
    cut = Cut.ENDS if words else Cut.BEST
    upload = io.BytesIO(request.ref_audio)
    try:
        sample = take(upload, len(request.ref_audio), cut, transcript=words, override=True)
    except RefusedRecording as refused:
        refused.param = "ref_text" if refused.param == "transcript" else "ref_audio"
        raise
    if consent:
        consent.compare(sample.wav)
    known = consent.public_id if consent else RECORDING
    samples, rate = read_own(sample.wav)
    digest = hashlib.sha256(sample.wav).hexdigest()
    recording = Recording(samples, rate, words or None)
    return OneOff(known, recorded_prompt(f"once-{uuid4().hex}:{digest}", recording, info), digest)
