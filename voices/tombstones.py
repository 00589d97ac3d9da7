"""What was erased stays erased: after a start, and so after the restore of an older database."""

from __future__ import annotations

import logging
from collections.abc import Callable

from accounts.audit import SYSTEM
from voices.erasure import Erasure, tombstones
from voices.models import Voice, VoiceConsent, VoiceDesign

logger = logging.getLogger(__name__)
Again = Callable[[list[str]], int]
_others: dict[str, Again] = {}


def stays_erased(kind: str, again: Again) -> None:
    """Things of a kind that is not known here: ``again`` gets the ids of those that have a
    tombstone, erases what lives, and returns how many did."""
    _others[kind] = again


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
    count = len(again) + sum(other(_of(kind, stones)) for kind, other in _others.items())
    if count:
        logger.warning("erased %d things again that a backup brought back", count)
    return count


def _of(kind: str, stones: set[tuple[str, str]]) -> list[str]:
    return [public_id for found, public_id in stones if found == kind]
