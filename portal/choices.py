"""The voices a person may choose from, as pages show them."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from voices.models import Voice
from voices.presets import PRESETS

# What the picker holds; who has more finds them by the list of voices.
_MOST = 1000
GROUPS: dict[str, Promise] = {
    "own": _("Own"),
    "shared": _("Shared"),
    "public": _("Public"),
    "built-in": _("Built in"),
}


def voice_choices(account: Account) -> list[dict[str, Any]]:
    """One's own, those that are shared, public ones, then the built-in: all that speak."""
    ready = [voice for voice in matching(account) if voice["state"] == Voice.State.READY]
    return ready[: _MOST + len(PRESETS)]


def matching(account: Account, wanted: str = "", group: str = "") -> list[dict[str, Any]]:
    """Those of a group that hold the words in name, description, language or tags."""
    visible = Voice.objects.visible_to(account).in_order_of_claim(account)
    return [
        voice
        for voice in (_shown(voice, account) for voice in visible)
        if wanted.casefold() in voice["words"] and group in ("", voice["group"])
    ]


def _shown(voice: Voice, account: Account) -> dict[str, Any]:
    # People wrote theirs; those that are built in are described in the reader's language.
    description = gettext(voice.description) if voice.is_built_in else voice.description
    words = (voice.name, description, voice.language, *voice.tags)
    return {
        "id": voice.public_id,
        "name": voice.name,
        "description": description,
        "language": voice.language,
        "group": _group(voice, account),
        "state": voice.state,
        "visibility": voice.visibility,
        "words": " ".join(words).casefold(),
    }


def _group(voice: Voice, account: Account) -> str:
    if voice.is_built_in:
        return "built-in"
    return "own" if voice.account_id == account.pk else voice.visibility
