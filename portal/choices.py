"""The voices a person may choose from, as the picker shows them."""

from __future__ import annotations

from typing import Any

from accounts.models import Account
from voices.models import Voice
from voices.presets import PRESETS

# What one page holds; who has more finds them by the list of voices.
_MOST = 1000


def voice_choices(account: Account) -> list[dict[str, Any]]:
    """One's own, those that are shared, public ones, then the built-in: all that speak."""
    ready = Voice.objects.visible_to(account).filter(state=Voice.State.READY)
    return [_owned(voice, account) for voice in ready.in_order_of_claim(account)[:_MOST]] + [
        {
            "id": preset.name,
            "name": preset.label,
            "description": preset.description,
            "language": "",
            "group": "built-in",
        }
        for preset in PRESETS.values()
    ]


def _owned(voice: Voice, account: Account) -> dict[str, Any]:
    return {
        "id": voice.public_id,
        "name": voice.name,
        "description": voice.description,
        "language": voice.language,
        "group": "own" if voice.account_id == account.pk else voice.visibility,
    }
