"""All that is kept of a voice, for its owner: a zip with its data and one recording."""

from __future__ import annotations

import io
import json
import zipfile

from django.db import transaction

from accounts.audit import Actor, record
from voices.listing import sample_object, voice_object
from voices.models import Voice, VoiceSample


def export(voice: Voice, sample: VoiceSample, actor: Actor) -> bytes:
    """The archive; that it was made is logged. Raises StorageUnavailable."""
    wav = sample.wav()
    consent = voice.consent
    about = voice_object(voice) | {
        "tags": voice.tags,
        "versions": [sample_object(version) for version in voice.samples.all()],
        "consent": {
            "id": consent.public_id,
            "name": consent.name,
            "relationship": consent.relationship,
            "state": consent.standing,
            "statement": consent.statement,
            "phrase": consent.phrase,
            "phrase_language": consent.phrase_language,
            "document_sha256": consent.document_sha256,
            "withdrawal_reason": consent.withdrawal_reason,
            "purposes": consent.purposes,
            "languages": consent.languages,
            "expires_at": consent.expires_at.isoformat() if consent.expires_at else None,
            "created_at": consent.created_at.isoformat(),
        }
        if consent
        else None,
    }
    with transaction.atomic():
        record("voice.export", actor, voice, voice.account, {"version": sample.version})
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("voice.json", json.dumps(about, ensure_ascii=False, indent=2))
        archive.writestr(f"version-{sample.version}.wav", wav)
    return sink.getvalue()
