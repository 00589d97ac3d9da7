"""What was erased stays erased: after a start, and so after the restore of an older database."""

from __future__ import annotations

import logging

from accounts.audit import SYSTEM
from voices.erasure import Erasure, tombstones
from voices.models import Voice, VoiceConsent, VoiceDesign

logger = logging.getLogger(__name__)


def reapply() -> int:
    """Erase again whatever has a tombstone and lives; returns how many did."""
    stones = tombstones()
    voices = Voice.objects.living().filter(public_id__in=_of(Erasure.Kind.VOICE, stones))
    consents = VoiceConsent.objects.filter(
        deleted_at=None, public_id__in=_of(Erasure.Kind.CONSENT, stones)
    )
    designs = VoiceDesign.objects.filter(public_id__in=_of(Erasure.Kind.DESIGN, stones))
    again = [*(one.erase for one in (*voices, *consents)), *(one.discard for one in designs)]
    for erase in again:
        erase(SYSTEM)
    if again:
        logger.warning("erased %d things again that a backup brought back", len(again))
    return len(again)


def _of(kind: str, stones: set[tuple[str, str]]) -> list[str]:
    return [public_id for found, public_id in stones if found == kind]
