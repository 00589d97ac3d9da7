"""A voice from somebody's recording, by whichever face: what is cheap to refuse is refused before
the recording is decoded."""

from __future__ import annotations

from typing import BinaryIO

from accounts.models import Account
from voices.consents import Origin
from voices.exceptions import InvalidVoiceField, RefusedRecording
from voices.fields import clean_fields
from voices.models import Voice
from voices.resolving import needed_consent
from voices.room import check_room
from voices.samples import Cut
from voices.scope import NO_LIMITS, Scope
from voices.taking import take


def clone_voice(
    account: Account,
    origin: Origin,
    recording: BinaryIO,
    size: int,
    *,
    field: str,
    name: str,
    consent: str = "",
    scope: Scope = NO_LIMITS,
    transcript: str = "",
    language: str = "",
    description: str = "",
    override: bool = False,
) -> Voice:
    """The new voice; ``field`` is what the face calls the recording, and ``scope`` how far the word
    goes that stands in place of a consent.

    Raises VoiceLimitReached, InvalidVoiceField, ConsentRequired, RefusedRecording and NotFound for
    a consent that is not this account's.
    """
    check_room(account)
    about = clean_fields({"name": name, "language": language, "description": description})
    agreed, statement = needed_consent(consent, account)
    if not statement and (said := scope.said()):
        raise InvalidVoiceField(
            "It is said with a consent in words, or of a consent alone.", said[0]
        )
    cut = Cut.ENDS if transcript else Cut.BEST
    try:
        sample = take(recording, size, cut, transcript=transcript, override=override)
    except RefusedRecording as refused:
        refused.param = refused.param or field
        raise
    return Voice.clone(
        account,
        sample=sample,
        consent=agreed,
        statement=statement,
        scope=scope,
        origin=origin,
        transcript=transcript,
        override=override,
        **about,
    )
