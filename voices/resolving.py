"""Which voice a speech request means: built in, or one that its account may use."""

from __future__ import annotations

from accounts.models import Account
from voices.exceptions import UnknownVoice
from voices.models import Voice
from voices.presets import ENGINE_VOICE, PRESETS, Preset


def resolve(wanted: str, account: Account) -> Preset | Voice | None:
    """The voice of that id or name; None stands for the engine's own.

    Raises UnknownVoice for what is missing, foreign, disabled or erased, all alike, and
    ConsentRequired for what nobody agreed to. Built-in names come first only in this code: no
    other voice can have one.
    """
    if wanted == ENGINE_VOICE:
        return None
    if wanted in PRESETS:
        return PRESETS[wanted]
    voice = Voice.objects.find(wanted, account)
    if voice is None or voice.state == Voice.State.DISABLED:
        raise UnknownVoice
    voice.check_usable()
    return voice
