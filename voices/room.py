"""How much an account may keep: so many voices, and so many bytes of recordings."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Sum

from accounts.models import Account
from voices.exceptions import StorageLimitReached, VoiceLimitReached


def check_room(account: Account) -> None:
    """Raise VoiceLimitReached when the account has all the voices it may have, or no room."""
    limit = settings.VOICES_PER_ACCOUNT
    if account.voices.living().count() >= limit:
        raise VoiceLimitReached(f"This account has {limit} voices, and may not have more.")
    check_bytes(account)


def check_bytes(account: Account, more: int = 1) -> None:
    """Raise StorageLimitReached where so many more would be too many."""
    limit = settings.VOICE_BYTES_PER_ACCOUNT
    if kept_bytes(account) + more > limit:
        raise StorageLimitReached(
            f"The recordings of this account may take {limit} bytes: erase a voice or a consent."
        )


def kept_bytes(account: Account) -> int:
    """What its voices, consents and drafts take in the storage."""
    kept = (
        account.voices.aggregate(size=Sum("samples__size")),
        account.voice_consents.aggregate(size=Sum("recording_size")),
        account.voice_designs.aggregate(size=Sum("candidates__size")),
    )
    return sum(part["size"] or 0 for part in kept)


def hold(account: Account) -> None:
    """In a transaction that will keep more: others of the account wait for its end."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
