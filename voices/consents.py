"""Consent: that somebody agreed to a copy of their voice, who says so, and whether it still holds.

Records are added and withdrawn, never altered. Where no transcriber listens to the words a record
says ``unchecked``, until a person has. Knows nothing of requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import Actor, record
from accounts.models import Account
from voices import ids, speakers, storage
from voices.erasure import Erasure
from voices.exceptions import ConsentRequired, InvalidVoiceField, RefusedRecording
from voices.languages import clean_language
from voices.phrases import make_nonce, make_phrase, phrase_language
from voices.policy import SAY_SO, Policy, check_statement
from voices.samples import Sample
from voices.transcriber import check_words
from voices.transcripts import check_transcript

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PHRASE_LIFE = timedelta(hours=1)
UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who says so, and from where."""

    actor: Actor
    user: User | None = None
    user_agent: str = ""


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


class ConsentQuerySet(models.QuerySet["VoiceConsent"]):
    def listed(self, account: Account) -> ConsentQuerySet:
        """What the account sees of its own: all that was not deleted."""
        return self.filter(account=account, deleted_at=None)

    def withdrawn(self) -> ConsentQuerySet:
        return self.filter(state=VoiceConsent.State.WITHDRAWN)

    def after(self, last: VoiceConsent) -> ConsentQuerySet:
        """Those that come behind ``last`` in a list: older ones."""
        older = Q(created_at__lt=last.created_at)
        return self.filter(older | Q(created_at=last.created_at, pk__lt=last.pk))


class VoiceConsent(models.Model):
    """That the owner of a voice agreed, in words that somebody attests or in their own voice."""

    class State(models.TextChoices):
        PENDING = "pending"  # waits for a person to listen
        ACTIVE = "active"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    public_id = models.CharField(max_length=40, unique=True, default=ids.consent_id, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="voice_consents")
    name = models.CharField("label", max_length=100)
    language = models.CharField(max_length=35, blank=True)
    relationship = models.CharField(
        max_length=100, blank=True, help_text="Whose voice it is: one's own, a colleague's …"
    )
    statement = models.TextField(blank=True, help_text="What was attested, in words.")
    phrase = models.TextField(blank=True, help_text="What was to be read, with its number.")
    words_checked = models.CharField(max_length=100, default=UNCHECKED)
    recording_key = models.CharField(max_length=200, blank=True)
    recording_hash = models.CharField(max_length=64, blank=True)
    report = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=State.choices, default=State.ACTIVE)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    given_as = models.CharField(max_length=300, help_text="The person or the key that sent it.")
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        permissions = [("listen_voiceconsent", "Can listen to recordings of consents")]
        indexes = [models.Index(fields=["account", "created_at"], name="consents_by_account")]

    def __str__(self) -> str:
        return self.public_id

    # -- given

    @classmethod
    def attest(cls, account: Account, statement: str, origin: Origin, **about: Any) -> VoiceConsent:
        """Somebody answers with their word for the owner of the voice."""
        statement = check_statement(statement)
        return cls._add(account, origin, statement=statement, **about)

    @classmethod
    def record(
        cls,
        account: Account,
        sample: Sample,
        origin: Origin,
        *,
        name: str,
        language: str,
        phrase_id: str = "",
        **about: Any,
    ) -> VoiceConsent:
        """The owner of the voice says so themselves."""
        language = clean_language(language)
        policy = settings.REQUIRE_CONSENT
        phrase = ConsentPhrase.look_up(account, phrase_id) if phrase_id else None
        # Outside of the transaction: who hears takes long.
        heard_by = _check_phrase(phrase.text, sample) if phrase else ""
        with storage.keeping(sample.wav) as stored:
            if phrase:
                phrase.use_up()
            return cls._add(
                account,
                origin,
                name=name,
                language=language,
                phrase=phrase.text if phrase else "",
                words_checked=heard_by or UNCHECKED,
                recording_key=stored.key,
                recording_hash=stored.sha256,
                report=sample.report.as_json(),
                state=cls.State.PENDING if policy == Policy.REVIEW else cls.State.ACTIVE,
                **about,
            )

    @classmethod
    def _add(cls, account: Account, origin: Origin, **fields: Any) -> VoiceConsent:
        with transaction.atomic():
            consent = cls.objects.create(
                account=account,
                given_by=origin.user,
                given_as=origin.actor.name[:300],
                address=origin.actor.address,
                user_agent=origin.user_agent[:200],
                **fields,
            )
            kind = "recording" if consent.recording_key else "attestation"
            record("consent.give", origin.actor, consent, account, {"kind": kind})
        return consent

    # -- held

    @property
    def holds(self) -> bool:
        return self.state == self.State.ACTIVE

    def check_holds(self, param: str) -> None:
        """Raise ConsentRequired where nobody may speak on it, not yet or not any more."""
        if not self.holds:
            raise ConsentRequired(
                "Somebody must listen to this consent first."
                if self.state == self.State.PENDING
                else "This consent was withdrawn or refused.",
                param,
            )

    def check_policy(self) -> None:
        """Raise ConsentRequired where this is less than the policy asks for."""
        needs_recording = settings.REQUIRE_CONSENT in (Policy.RECORDING, Policy.REVIEW)
        if self.state in (self.State.REFUSED, self.State.WITHDRAWN):
            raise ConsentRequired("This consent was withdrawn or refused.", "consent")
        if needs_recording and not self.recording_hash:
            raise ConsentRequired(SAY_SO, "consent")

    def compare(self, wav: bytes) -> str:
        """Who has found the person who consented in a recording; ``unchecked`` where nobody looks,
        or where there is a word and no voice. Raises ConsentRequired and ComparisonUnavailable."""
        if not self.recording_key or not speakers.is_set():
            return UNCHECKED
        return speakers.check_speaker(storage.read(self.recording_key), wav)

    def review(self, reviewer: User, actor: Actor, *, agreed: bool) -> None:
        """A person has listened; where they agree, the voices that waited for it may speak."""
        with transaction.atomic():
            state = self.State.ACTIVE if agreed else self.State.REFUSED
            changed = VoiceConsent.objects.filter(pk=self.pk, state=self.State.PENDING).update(
                state=state,
                words_checked="by a person",
                reviewed_by=reviewer,
                reviewed_at=timezone.now(),
            )
            if changed and agreed:
                self.voices.filter(state="draft").update(state="ready", epoch=models.F("epoch") + 1)
            if changed:
                record(f"consent.{'approve' if agreed else 'refuse'}", actor, self, self.account)
        self.refresh_from_db()

    # -- ended

    def rename(self, actor: Actor, name: str) -> None:
        """Only its label can be changed."""
        with transaction.atomic():
            VoiceConsent.objects.filter(pk=self.pk).update(name=name)
            record("consent.rename", actor, self, self.account)
        self.name = name

    def withdraw(self, actor: Actor) -> None:
        """From now on nobody speaks with the voices that rest on it; running streams end."""
        with transaction.atomic():
            held = VoiceConsent.objects.filter(~Q(state=self.State.WITHDRAWN), pk=self.pk)
            if held.update(state=self.State.WITHDRAWN, withdrawn_at=timezone.now()):
                self.voices.update(epoch=models.F("epoch") + 1)
                record("consent.withdraw", actor, self, self.account)
        self.refresh_from_db()

    def erase(self, actor: Actor) -> None:
        """Withdraw it and remove the recording and all words; that there was one is kept."""
        with transaction.atomic():
            erasure = Erasure.begin(
                Erasure.Kind.CONSENT, self.public_id, {self.recording_key: self.recording_hash}
            )
            self.withdraw(actor)
            self._scrub()
            record("consent.erase", actor, self, self.account)
        erasure.finish_if_possible()

    def _scrub(self) -> None:
        nothing = {"name": "", "relationship": "", "statement": "", "phrase": "", "report": {}}
        VoiceConsent.objects.filter(pk=self.pk).update(
            **nothing, recording_key="", user_agent="", address="", deleted_at=timezone.now()
        )
        self.refresh_from_db()


def _check_phrase(phrase: str, sample: Sample) -> str:
    """There must be time for the words, and where somebody hears them they must be those. Who
    heard them; "" where nobody does."""
    try:
        check_transcript(phrase, sample.report.measures.speech_seconds)
    except RefusedRecording as refused:
        raise RefusedRecording(
            "transcript_mismatch",
            "The recording does not last as long as its phrase takes to say.",
            "recording",
        ) from refused
    return check_words(sample.wav, phrase, "recording")
