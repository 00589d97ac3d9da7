"""Voices as every face shows them, and the list of those that somebody may ask for."""

from __future__ import annotations

from typing import Any

from accounts.models import Account, ApiKey
from voices.models import DesignCandidate, Voice, VoiceDesign, VoiceSample

# What one answer holds at most; the native list has pages and a search.
_MOST = 1000


def voice_object(voice: Voice) -> dict[str, Any]:
    """A voice in the words of every client that lists them, and what else is known of one that
    somebody owns."""
    shown = {
        "id": voice.public_id,
        "object": "audio.voice",
        "name": voice.name,
        "type": "audio_sample" if voice.kind == Voice.Kind.CLONED else "prompt",
        "value": voice.public_id,
        "label": voice.name,
        "description": voice.description,
        "language": voice.language,
        "created_at": 0 if voice.is_built_in else int(voice.created_at.timestamp()),
    }
    if not voice.is_built_in:
        shown |= {"state": voice.state, "visibility": voice.visibility, "version": voice.version}
    return shown


def sample_object(sample: VoiceSample) -> dict[str, Any]:
    """One version of a voice, as its owner sees it."""
    return {
        "object": "voice.version",
        "version": sample.version,
        "created_at": int(sample.created_at.timestamp()),
        "sha256": sample.sha256,
        "sample_rate": sample.sample_rate,
        "transcript": sample.transcript,
        "overridden": sample.overridden,
        "speaker_checked": sample.speaker_checked,
        "report": sample.report,
    }


def candidate_object(candidate: DesignCandidate) -> dict[str, Any]:
    """One take of a design, as its owner sees it."""
    report = candidate.report
    return {
        "object": "voice.candidate",
        "number": candidate.number,
        "seed": candidate.seed,
        "model": candidate.model,
        "created_at": int(candidate.created_at.timestamp()),
        "seconds": round(report["kept_to"] - report["kept_from"], 2),
        "report": report,
    }


def design_object(design: VoiceDesign, candidates: list[DesignCandidate]) -> dict[str, Any]:
    """A voice in the making, as its owner sees it."""
    return {
        "id": design.public_id,
        "object": "voice.design",
        "description": design.description,
        "text": design.text,
        "language": design.language,
        "created_at": int(design.created_at.timestamp()),
        "expires_at": int(design.expires_at.timestamp()),
        "candidates": [candidate_object(candidate) for candidate in candidates],
    }


def listed_voices(account: Account | None, key: ApiKey | None) -> list[dict[str, Any]]:
    """The built-in voices, then one's own, then others'; with a key, those that it may use."""
    visible = Voice.objects.visible_to(account)
    owned = visible.owned().in_order_of_claim(account)[:_MOST]
    listed = [voice_object(voice) for voice in (*visible.built_in(), *owned)]
    return [voice for voice in listed if may_use(key, voice)]


def may_use(key: ApiKey | None, voice: dict[str, Any]) -> bool:
    """Whether the key is held to other voices."""
    allowed = key.allowed_voices if key else []
    return not allowed or voice["id"] in allowed or voice["name"] in allowed
