"""Voices: whose they are, who may use them, what they were made from and what became of them; those
that are built in are nobody's, and made by models (``voices/built_in.py``). Consent stands in
``voices/consents.py``, erasing in ``voices/erasure.py``.

Stores and decides, and never calls upward: whoever speaks reads ``epoch`` and ``state`` again.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from accounts.audit import Actor, record
from accounts.models import Account
from voices import ids, storage
from voices.built_in import BuiltInTake
from voices.consents import UNCHECKED, Origin, VoiceConsent
from voices.designs import DesignCandidate, VoiceDesign
from voices.erasure import Erasure
from voices.exceptions import (
    ConsentRequired,
    InvalidVoiceField,
    UnknownVoice,
)
from voices.fields import clean_fields
from voices.finding import NOTED_EVERY, Kind, State, Visibility, VoiceQuerySet
from voices.import_rows import ImportedFile, VoiceImport
from voices.names import name_key
from voices.phrase_rows import ConsentPhrase
from voices.policy import Policy
from voices.recordings import VoiceReport, VoiceSample
from voices.room import check_bytes, check_room, hold
from voices.samples import Sample
from voices.scope import NO_LIMITS, Scope
from voices.storage import Stored, UnclaimedObject

__all__ = [
    "BuiltInTake",
    "ConsentPhrase",
    "DesignCandidate",
    "Erasure",
    "ImportedFile",
    "Origin",
    "Policy",
    "UnclaimedObject",
    "Voice",
    "VoiceConsent",
    "VoiceDesign",
    "VoiceImport",
    "VoiceReport",
    "VoiceSample",
]


class Voice(models.Model):
    """A voice, with an owner unless it is built in. A new recording makes a new version; older ones
    can be restored."""

    Kind, Visibility, State = Kind, Visibility, State

    public_id = models.CharField(
        "ID", max_length=40, unique=True, default=ids.voice_id, editable=False
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="voices"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CLONED)
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=300, editable=False)
    description = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=35, blank=True, help_text="A BCP 47 tag.")
    tags = models.JSONField(default=list, blank=True)
    visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    shared_with = models.ManyToManyField(Account, blank=True, related_name="shared_voices")
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    version = models.PositiveIntegerField(default=0, help_text="The recording that speaks.")
    epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Rises when what was cached of it is void."
    )
    consent = models.ForeignKey(
        VoiceConsent, models.PROTECT, null=True, blank=True, related_name="voices"
    )
    consent_policy = models.CharField(
        max_length=20, choices=Policy.choices, help_text="What stood when the voice was made."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(
        "last used", null=True, editable=False, db_index=True, help_text="To the hour."
    )

    objects = VoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        permissions = [("listen_voice", "Can listen to recordings of voices")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name_key"],
                condition=~Q(state="erased"),
                name="voices_have_names_of_their_own",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.PRESET, account=None)
                | (~Q(kind=Kind.PRESET) & Q(account__isnull=False)),
                name="built_in_voices_alone_are_nobodys",
            ),
        ]
        indexes = [models.Index(fields=["visibility", "state"], name="voices_by_visibility")]

    def __str__(self) -> str:
        return self.public_id  # a name would outlive the voice in the audit log

    @property
    def is_built_in(self) -> bool:
        return self.kind == Kind.PRESET

    @property
    def owner(self) -> Account:
        """Whose it is. Raises InvalidVoiceField for a built-in voice: nobody changes that."""
        if self.account is None:
            raise InvalidVoiceField("A built-in voice stays as it is.", "voice")
        return self.account

    # -- made

    @classmethod
    def clone(
        cls,
        account: Account,
        name: str,
        sample: Sample,
        consent: VoiceConsent | None,
        origin: Origin,
        *,
        statement: str = "",
        scope: Scope = NO_LIMITS,
        transcript: str = "",
        override: bool = False,
        public_id: str = "",
        **about: Any,
    ) -> Voice:
        """A voice from a recording. The consent was checked against the policy by the caller;
        ``statement`` is somebody's word in its stead, which becomes one of that ``scope``. With a
        ``public_id`` that was chosen ahead nothing is made twice."""
        check_room(account)
        fields = clean_fields({"name": name, **about})
        # Outside of the transaction: who compares takes long.
        speaker = consent.compare(sample.wav) if consent else UNCHECKED
        with storage.keeping(sample.wav) as stored:
            hold(account)
            check_room(account)
            check_bytes(account, stored.size)
            if statement:
                consent = VoiceConsent.attest(account, statement, origin, scope=scope)
            elif consent:
                consent = consent.locked()
            voice = cls(
                public_id=public_id or ids.voice_id(),
                account=account,
                consent=consent,
                consent_policy=settings.REQUIRE_CONSENT,
                created_by=origin.user,
                **fields,
            )
            voice.state = cls.State.DRAFT if voice._is_waiting else cls.State.READY
            voice._save_named()
            voice._add_version(sample, stored, transcript, override, origin, speaker)
            record("voice.create", origin.actor, voice, account, {"version": 1})
        return voice

    @classmethod
    def keep(cls, candidate: DesignCandidate, origin: Origin, **about: Any) -> Voice:
        """A candidate of a design becomes a voice, and all others are erased. There is nobody
        behind it who would have to agree. Raises VoiceLimitReached and InvalidVoiceField."""
        design = candidate.design
        about = {"description": design.description, "language": design.language} | about
        with transaction.atomic():
            hold(design.account)
            check_room(design.account)
            voice = cls(
                account=design.account,
                kind=cls.Kind.DESIGNED,
                consent_policy=settings.REQUIRE_CONSENT,
                created_by=origin.user,
                **clean_fields(about),
            )
            voice._save_named()
            voice._speak_with(voice._version(origin, **candidate.recording()).version)
            record("voice.design", origin.actor, voice, design.account, {"version": 1})
            erasure = design.end(but=candidate)
        erasure.finish_if_possible()
        return voice

    def rerecord(
        self, sample: Sample, origin: Origin, *, transcript: str = "", override: bool = False
    ) -> VoiceSample:
        """A new recording becomes the next version, and speaks from now on."""
        owner = self.owner
        self.check_takes_recordings()
        speaker = self.consent.compare(sample.wav) if self.consent else UNCHECKED
        with storage.keeping(sample.wav) as stored:
            hold(owner)
            check_bytes(owner, stored.size)
            if not self._lock():
                raise UnknownVoice
            added = self._add_version(sample, stored, transcript, override, origin, speaker)
            record("voice.record", origin.actor, self, owner, {"version": added.version})
        return added

    def check_takes_recordings(self) -> None:
        """Raise InvalidVoiceField and ConsentRequired where a person's would come in without their
        consent."""
        if self.kind == self.Kind.DESIGNED:
            raise InvalidVoiceField("A designed voice takes no recordings.", "audio_sample")
        if self.consent is not None:
            self.consent.check_not_ended("voice")

    def _lock(self) -> bool:
        """Wait for whoever changes its recordings now; False when it was erased meanwhile."""
        rows = Voice.objects.select_for_update().filter(pk=self.pk)
        return self.State.ERASED not in rows.values_list("state", flat=True)

    def _add_version(
        self,
        sample: Sample,
        stored: Stored,
        transcript: str,
        override: bool,
        origin: Origin,
        speaker: str,
    ) -> VoiceSample:
        added = self._version(
            origin,
            object_key=stored.key,
            sha256=stored.sha256,
            size=stored.size,
            sample_rate=sample.sample_rate,
            transcript=transcript,
            report=sample.report.as_json(),
            overridden=override,
            speaker_checked=speaker,
        )
        self._speak_with(added.version)
        return added

    def _version(self, origin: Origin, **recording: Any) -> VoiceSample:
        last = self.samples.aggregate(last=Max("version"))["last"] or 0
        return VoiceSample.objects.create(
            voice=self, version=last + 1, created_by=origin.user, **recording
        )

    # -- used

    @property
    def sample(self) -> VoiceSample:
        """The recording that speaks."""
        return self.samples.get(version=self.version)

    @property
    def _is_waiting(self) -> bool:
        """Whether a person has yet to listen to its consent."""
        return self.consent is not None and self.consent.state == VoiceConsent.State.PENDING

    def check_usable(self, language: str = "") -> None:
        """Raise ConsentRequired where there is no consent to speak with it (any more), or none
        that extends to a ``language``."""
        is_nobodys = self.kind in (self.Kind.DESIGNED, self.Kind.PRESET)
        if is_nobodys or (self.consent is None and self.consent_policy == Policy.OFF):
            return
        if self.consent is None:
            raise ConsentRequired("There is no consent to speak with this voice.", "voice")
        self.consent.check_holds("voice")
        self.consent.check_covers(language)

    @property
    def use_is_noted(self) -> bool:
        """Whether ``note_use`` would change nothing yet."""
        return self.used_at is not None and self.used_at >= timezone.now() - NOTED_EVERY

    # -- changed

    def change(self, actor: Actor, **fields: Any) -> None:
        """Name, description, language, tags, visibility: only what is given."""
        owner = self.owner
        with transaction.atomic():
            for field, value in clean_fields(fields).items():
                setattr(self, field, value)
            self._save_named(*fields)
            record("voice.change", actor, self, owner, {"fields": sorted(fields)})

    def share(self, actor: Actor, accounts: list[Account]) -> None:
        """With these accounts and no others."""
        owner = self.owner
        with transaction.atomic():
            self.shared_with.set(accounts)
            self.visibility = self.Visibility.SHARED if accounts else self.Visibility.PRIVATE
            self.save(update_fields=["visibility"])
            details = {"accounts": [account.pk for account in accounts]}
            record("voice.share", actor, self, owner, details)

    def restore_version(self, actor: Actor, version: int) -> None:
        """Speak with an older recording again. Raises VoiceSample.DoesNotExist."""
        owner = self.owner
        with transaction.atomic():
            self._lock()
            self.samples.get(version=version)
            self._speak_with(version)
            record("voice.restore", actor, self, owner, {"version": version})

    def set_state(self, actor: Actor, state: str) -> None:
        """Ready or disabled; ``erase`` is another matter. What waits for its consent to be heard
        is not ready before."""
        assert state in (self.State.READY, self.State.DISABLED)
        if state == self.State.READY and self._is_waiting:
            state = self.State.DRAFT
        with transaction.atomic():
            living = Voice.objects.living().filter(pk=self.pk)
            if living.update(state=state, epoch=F("epoch") + 1, updated_at=timezone.now()):
                record(f"voice.{state}", actor, self, self.account)
        self.refresh_from_db()

    def transfer(self, actor: Actor, account: Account) -> None:
        """To another owner, private there; the consent stays with who gave it."""
        before = self.owner.pk
        with transaction.atomic():
            self.account, self.visibility = account, self.Visibility.PRIVATE
            self.shared_with.clear()
            self._save_named("account", "visibility")
            record("voice.transfer", actor, self, account, {"from": before, "to": account.pk})

    def make_anew(self, actor: Actor, take: BuiltInTake) -> bool:
        """Of a built-in voice: what a model made is gone, and at its next use is made again. False
        where there is nothing, or somebody else was first."""
        with transaction.atomic():
            given_up = take.give_up()
            if given_up:
                Voice.objects.filter(pk=self.pk).update(epoch=F("epoch") + 1)
                details = {"model": take.model, "version": take.version}
                record("voice.make_anew", actor, self, None, details)
        return given_up

    def _speak_with(self, version: int) -> None:
        Voice.objects.filter(pk=self.pk).update(
            version=version, epoch=F("epoch") + 1, updated_at=timezone.now()
        )
        self.refresh_from_db(fields=["version", "epoch", "updated_at"])

    def _save_named(self, *changed: str) -> None:
        """Save what was changed, or all of a new voice; its name must be free in its account."""
        self.name_key, self.updated_at = name_key(self.name), timezone.now()
        columns = [*changed, "name_key", "updated_at"] if changed else None
        try:
            with transaction.atomic():
                self.save(update_fields=columns)
        except IntegrityError:
            raise InvalidVoiceField(
                "This account has a voice of that name.", "name", "name_taken"
            ) from None

    # -- ended

    def erase(self, actor: Actor) -> Erasure:
        """For good: from this moment it answers as if it had never been."""
        owner = self.owner
        with transaction.atomic():
            self._lock()
            recordings = dict(self.samples.values_list("object_key", "sha256"))
            erasure = Erasure.begin(Erasure.Kind.VOICE, self.public_id, recordings)
            self._scrub()
            record("voice.erase", actor, self, owner)
        erasure.finish_if_possible()
        return erasure

    def _scrub(self) -> None:
        """Nothing is left but an id that usage refers to."""
        ImportedFile.forget(self.public_id)
        self.samples.all().delete()
        self.reports.all().delete()
        self.shared_with.clear()
        nothing = {"name": "", "name_key": "", "description": "", "language": "", "tags": []}
        Voice.objects.filter(pk=self.pk).update(
            **nothing,
            state=self.State.ERASED,
            visibility=self.Visibility.PRIVATE,
            epoch=F("epoch") + 1,
            consent=None,
            updated_at=timezone.now(),
        )
        self.refresh_from_db()
