"""What must be shown before a voice is cloned, and what counts as somebody's word."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from voices.exceptions import ConsentRequired, InvalidVoiceField

SAY_SO = (
    "Here the owner of the voice must say so: record a phrase from GET "
    "/v1/audio/voice_consents/phrase and send it to POST /v1/audio/voice_consents."
)


class Policy(models.TextChoices):
    """What must be shown before a voice is cloned; it binds the voices made while it stands."""

    OFF = "off"
    ATTESTATION = "attestation"
    RECORDING = "recording"
    REVIEW = "recording+review"


def check_word_is_enough(param: str) -> None:
    """Raise ConsentRequired where the owner of a voice must say so themselves."""
    if settings.REQUIRE_CONSENT in (Policy.RECORDING, Policy.REVIEW):
        raise ConsentRequired(SAY_SO, param)


def check_statement(statement: str, param: str = "consent") -> str:
    """Somebody's word, as it is stored. Raises InvalidVoiceField."""
    if not 10 <= len(statement.strip()) <= 2000:
        raise InvalidVoiceField(
            "Send a cons_… id, or a statement of 10 to 2000 characters that the owner of the voice "
            "agrees.",
            param,
        )
    return statement.strip()
