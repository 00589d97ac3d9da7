"""Phrases that were handed out to be read: each to one account, once, for an hour."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from voices import ids
from voices.exceptions import InvalidVoiceField
from voices.languages import clean_language
from voices.phrases import make_nonce, make_phrase, phrase_language

PHRASE_LIFE = timedelta(hours=1)


class ConsentPhrase(models.Model):
    """A sentence with a number that was handed out to be read, once."""

    public_id = models.CharField(max_length=40, unique=True, default=ids.phrase_id)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    language = models.CharField(max_length=35)
    nonce = models.CharField(max_length=10)
    text = models.TextField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.public_id

    @classmethod
    def hand_out(cls, account: Account, language: str) -> ConsentPhrase:
        """A new phrase in that language, or in English where there is none in it."""
        spoken, nonce = phrase_language(clean_language(language)), make_nonce()
        done = Q(expires_at__lt=timezone.now()) | Q(used_at__isnull=False)
        cls.objects.filter(done, account=account).delete()  # what was read stands in its consent
        return cls.objects.create(
            account=account,
            language=spoken,
            nonce=nonce,
            text=make_phrase(spoken, nonce),
            expires_at=timezone.now() + PHRASE_LIFE,
        )

    @classmethod
    def look_up(cls, account: Account, public_id: str) -> ConsentPhrase:
        """One that was handed out and may be read. Raises InvalidVoiceField when it is not this
        account's or not new."""
        phrase = cls._fresh(account, public_id).first()
        if phrase is None:
            raise InvalidVoiceField("Ask for a new phrase: this one is used or too old.", "phrase")
        return phrase

    def use_up(self) -> None:
        """It has been read; of several who read it one has. Raises InvalidVoiceField."""
        if not self._fresh(self.account, self.public_id).update(used_at=timezone.now()):
            raise InvalidVoiceField("This phrase was used just now: ask for a new one.", "phrase")

    @classmethod
    def _fresh(cls, account: Account, public_id: str) -> models.QuerySet[ConsentPhrase]:
        return cls.objects.filter(
            account=account, public_id=public_id, used_at=None, expires_at__gt=timezone.now()
        )
