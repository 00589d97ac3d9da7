"""Which voice a speech request means, and on whose consent a new voice rests."""

from __future__ import annotations

from django.conf import settings
from rest_framework.exceptions import NotFound

from accounts.models import Account
from voices.exceptions import ConsentRequired, UnknownVoice
from voices.models import Voice, VoiceConsent
from voices.policy import Policy, check_statement, check_word_is_enough
from voices.presets import ENGINE_VOICE


def resolve(wanted: str, account: Account, language: str = "") -> Voice | None:
    """The voice of that id or name; None stands for the engine's own.

    Raises UnknownVoice for what is missing, foreign, disabled or erased, all alike, and
    ConsentRequired for what nobody agreed to, or not in that language.
    """
    if wanted == ENGINE_VOICE:
        return None
    voice = Voice.objects.find(wanted, account)
    if voice is None or voice.state == Voice.State.DISABLED:
        raise UnknownVoice
    voice.check_usable(language)
    return voice


def needed_consent(given: str, account: Account) -> tuple[VoiceConsent | None, str]:
    """What a new voice rests on, as far as the policy asks for it: a consent, or somebody's word.

    ``given`` is an id, a statement or nothing. Raises ConsentRequired where it is too little,
    and NotFound for a consent that is not this account's.
    """
    if given.startswith("cons_"):
        consent = VoiceConsent.objects.listed(account).filter(public_id=given).first()
        if consent is None:
            raise NotFound
        consent.check_policy()
        return consent, ""
    check_word_is_enough("consent")
    if not given and settings.REQUIRE_CONSENT != Policy.OFF:
        raise ConsentRequired(
            "Say in the field consent that the owner of the voice agrees, or send a cons_… id.",
            "consent",
        )
    return None, check_statement(given) if given else ""
