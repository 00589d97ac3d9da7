"""Consent: that somebody agreed to a copy of their voice, who says so, and whether it still holds.

Records are added and withdrawn, never altered. Where no transcriber listens to the words a record
says ``unchecked``, until a person has. Knows nothing of requests.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import SYSTEM, Actor, record
from accounts.models import Account
from voices import ids, speakers, storage
from voices.erasure import Erasure
from voices.exceptions import ConsentRequired, RefusedRecording
from voices.languages import clean_language
from voices.names import check_not_protected
from voices.phrase_rows import ConsentPhrase
from voices.policy import Policy, check_statement, check_word_is_enough
from voices.room import check_bytes, hold
from voices.samples import Sample
from voices.scope import NO_LIMITS, PURPOSES_LENGTH, Scope, covers
from voices.transcriber import check_words
from voices.transcripts import check_transcript

if TYPE_CHECKING:
    from django.contrib.auth.models import User

UNCHECKED = "unchecked"
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Who says so, and from where."""

    actor: Actor
    user: User | None = None
    user_agent: str = ""


class ConsentQuerySet(models.QuerySet["VoiceConsent"]):
    def listed(self, account: Account) -> ConsentQuerySet:
        """What the account sees of its own: all that was not deleted."""
        return self.filter(account=account, deleted_at=None)

    def ended(self) -> ConsentQuerySet:
        """Withdrawn, or over by the time, whoever has noted that."""
        return self.filter(Q(state=VoiceConsent.State.WITHDRAWN) | over_by_now())

    def due(self) -> ConsentQuerySet:
        """Over by the time, and nobody has noted it."""
        return self.filter(over_by_now(), state__in=_IN_TIME)

    def after(self, last: VoiceConsent) -> ConsentQuerySet:
        """Those that come behind ``last`` in a list: older ones."""
        older = Q(created_at__lt=last.created_at)
        return self.filter(older | Q(created_at=last.created_at, pk__lt=last.pk))


def over_by_now(path: str = "") -> Q:
    """Consents that had an end and have reached it; ``path`` leads there from other rows."""
    return Q(**{f"{path}expires_at__lte": timezone.now()})


class VoiceConsent(models.Model):
    """That the owner of a voice agreed, in words that somebody attests or in their own voice."""

    class State(models.TextChoices):
        PENDING = "pending"  # waits for a person to listen
        ACTIVE = "active"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    public_id = models.CharField(
        "ID", max_length=40, unique=True, default=ids.consent_id, editable=False
    )
    account = models.ForeignKey(Account, models.PROTECT, related_name="voice_consents")
    name = models.CharField("label", max_length=100)
    language = models.CharField(max_length=35, blank=True)
    relationship = models.CharField(
        max_length=100, blank=True, help_text="Whose voice it is: one's own, a colleague's …"
    )
    statement = models.TextField(blank=True, help_text="What was attested, in words.")
    phrase = models.TextField(blank=True, help_text="What was to be read, with its number.")
    phrase_language = models.CharField("language of the phrase", max_length=35, blank=True)
    purposes = models.CharField(
        "uses",
        max_length=PURPOSES_LENGTH,
        blank=True,
        help_text="What it is for; empty for any use.",
    )
    languages = models.JSONField(
        default=list, blank=True, help_text="What may be spoken; empty for any language."
    )
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    document_sha256 = models.CharField(
        "document",
        max_length=64,
        blank=True,
        help_text="The SHA-256 of what was signed, where something was.",
    )
    words_checked = models.CharField(max_length=100, default=UNCHECKED)
    recording_key = models.CharField(max_length=200, blank=True)
    recording_hash = models.CharField(max_length=64, blank=True)
    recording_size = models.PositiveIntegerField(default=0, editable=False)
    report = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=State.choices, default=State.ACTIVE)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    given_as = models.CharField(
        "sent by", max_length=300, help_text="The person or the key that sent it."
    )
    address = models.CharField("IP address", max_length=45, blank=True)
    user_agent = models.CharField("program", max_length=200, blank=True)
    given_through = models.CharField(
        max_length=10, blank=True, help_text="user (in a browser), key or command."
    )
    release = models.CharField(
        max_length=20, blank=True, help_text="The version of the platform that asked for it."
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawal_reason = models.CharField("why", max_length=REASON_LENGTH, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField("given at", default=timezone.now, editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = "consent", "consents"
        ordering = ["-created_at", "-pk"]
        permissions = [("listen_voiceconsent", "Can listen to recordings of consents")]
        indexes = [models.Index(fields=["account", "created_at"], name="consents_by_account")]

    def __str__(self) -> str:
        return self.public_id

    # -- given

    @classmethod
    def attest(
        cls,
        account: Account,
        statement: str,
        origin: Origin,
        *,
        scope: Scope = NO_LIMITS,
        **about: Any,
    ) -> VoiceConsent:
        """Somebody answers with their word for the owner of the voice."""
        statement = check_statement(statement)
        return cls._add(account, origin, scope, statement=statement, **about)

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
        scope: Scope = NO_LIMITS,
        **about: Any,
    ) -> VoiceConsent:
        """The owner of the voice says so themselves."""
        language = clean_language(language)
        policy = settings.REQUIRE_CONSENT
        phrase = ConsentPhrase.look_up(account, phrase_id) if phrase_id else None
        # Outside of the transaction: who hears takes long.
        heard_by = _check_phrase(phrase.text, sample) if phrase else ""
        with storage.keeping(sample.wav) as stored:
            hold(account)
            check_bytes(account, stored.size)
            if phrase:
                phrase.use_up()
            return cls._add(
                account,
                origin,
                scope,
                name=name,
                language=language,
                phrase=phrase.text if phrase else "",
                phrase_language=phrase.language if phrase else "",
                words_checked=heard_by or UNCHECKED,
                recording_key=stored.key,
                recording_hash=stored.sha256,
                recording_size=stored.size,
                report=sample.report.as_json(),
                state=cls.State.PENDING if policy == Policy.REVIEW else cls.State.ACTIVE,
                **about,
            )

    @classmethod
    def _add(cls, account: Account, origin: Origin, scope: Scope, **fields: Any) -> VoiceConsent:
        check_not_protected(fields.get("name", ""))
        with transaction.atomic():
            consent = cls.objects.create(
                account=account,
                given_by=origin.user,
                given_as=origin.actor.name[:300],
                address=origin.actor.address,
                user_agent=origin.user_agent[:200],
                given_through=origin.actor.kind,
                release=settings.VERSION,
                **asdict(scope),
                **fields,
            )
            kind = "recording" if consent.recording_key else "attestation"
            record("consent.give", origin.actor, consent, account, {"kind": kind})
        return consent

    # -- held

    @property
    def standing(self) -> State:
        """Its state at this moment: that its time is over need not have been noted."""
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.State.EXPIRED if is_over and self.state in _IN_TIME else self.State(self.state)

    def get_standing_display(self) -> str:
        """In the reader's language, as ``get_state_display``."""
        return str(VoiceConsent(state=self.standing).get_state_display())

    @property
    def holds(self) -> bool:
        return self.standing == self.State.ACTIVE

    def check_holds(self, param: str) -> None:
        """Raise ConsentRequired where nobody may speak on it, not yet or not any more."""
        if self.standing == self.State.PENDING:
            raise ConsentRequired("Somebody must listen to this consent first.", param)
        self.check_not_ended(param)

    def locked(self) -> VoiceConsent:
        """As it stands now, and until the caller's transaction ends: a recording that is to rest on
        it takes a while to be looked at. Raises ConsentRequired where it has ended meanwhile."""
        now = VoiceConsent.objects.select_for_update(no_key=True).get(pk=self.pk)
        now.check_not_ended("consent")
        return now

    def check_covers(self, language: str) -> None:
        """Raise ConsentRequired for a language that it does not extend to."""
        if not covers(self.languages, language):
            listed = ", ".join(self.languages)
            raise ConsentRequired(
                f"This consent is for {listed} and does not extend to {language}.", "language"
            )

    def check_policy(self) -> None:
        """Raise ConsentRequired where this is less than the policy asks for now."""
        self.check_not_ended("consent")
        if not self.recording_hash:
            check_word_is_enough("consent")
        is_unheard = self.state == self.State.ACTIVE and self.reviewed_at is None
        if settings.REQUIRE_CONSENT == Policy.REVIEW and is_unheard:
            raise ConsentRequired(
                "When this consent was given nobody had to listen to it: record another.", "consent"
            )

    def check_not_ended(self, param: str) -> None:
        """Raise ConsentRequired where they agree no more."""
        if self.standing == self.State.EXPIRED:
            assert self.expires_at is not None
            day = self.expires_at.strftime("%Y-%m-%d %H:%M UTC")
            raise ConsentRequired(f"This consent expired at {day}: ask for a new one.", param)
        if self.standing in (self.State.REFUSED, self.State.WITHDRAWN):
            raise ConsentRequired("This consent was withdrawn or refused.", param)

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
            pending = VoiceConsent.objects.filter(~over_by_now(), pk=self.pk)
            changed = pending.filter(state=self.State.PENDING).update(
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
        check_not_protected(name)
        with transaction.atomic():
            VoiceConsent.objects.filter(pk=self.pk).update(name=name)
            record("consent.rename", actor, self, self.account)
        self.name = name

    def withdraw(self, actor: Actor, reason: str = "") -> None:
        """From now on nobody speaks with the voices that rest on it; running streams end."""
        with transaction.atomic():
            held = VoiceConsent.objects.filter(~Q(state=self.State.WITHDRAWN), pk=self.pk)
            if held.update(
                state=self.State.WITHDRAWN, withdrawn_at=timezone.now(), withdrawal_reason=reason
            ):
                self.voices.update(epoch=models.F("epoch") + 1)
                record("consent.withdraw", actor, self, self.account)
        self.refresh_from_db()

    def expire(self) -> None:
        """Note that its time is over: what engines keep of its voices is void."""
        with transaction.atomic():
            if VoiceConsent.objects.due().filter(pk=self.pk).update(state=self.State.EXPIRED):
                self.voices.update(epoch=models.F("epoch") + 1)
                record("consent.expire", SYSTEM, self, self.account)
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
        words = (
            *("name", "relationship", "statement", "phrase", "purposes"),
            "withdrawal_reason",
        )
        nothing: dict[str, Any] = dict.fromkeys(words, "") | {"report": {}}
        VoiceConsent.objects.filter(pk=self.pk).update(
            **nothing,
            recording_key="",
            recording_size=0,
            user_agent="",
            address="",
            deleted_at=timezone.now(),
        )
        self.refresh_from_db()


_IN_TIME = (VoiceConsent.State.PENDING, VoiceConsent.State.ACTIVE)


def expire_due() -> None:
    """For records and caches: no consent holds a moment longer than it says."""
    for consent in VoiceConsent.objects.due().select_related("account"):
        consent.expire()


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
