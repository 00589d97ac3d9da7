"""Voices in the making: a description that a model speaks with several seeds, until one is kept.

A draft and its candidates belong to an account, are few, and go after a day, if nobody keeps one.
There is no person behind them, and so no consent. Knows nothing of engines.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.audit import SYSTEM, Actor, record
from accounts.models import Account
from voices import ids, storage
from voices.consents import Origin
from voices.erasure import Erasure
from voices.exceptions import DesignLimitReached, InvalidVoiceField
from voices.languages import clean_language
from voices.room import check_bytes
from voices.samples import Sample

LIFE = timedelta(days=1)
MOST_DESIGNS = 10
"""Of one account at a time."""
MOST_CANDIDATES = 8
"""Of one design."""
DESCRIPTION_LENGTHS = (3, 500)
TEXT_LENGTHS = (20, 300)
"""What is said must be long enough to hear a voice in it, and short enough for a reference."""


class DesignQuerySet(models.QuerySet["VoiceDesign"]):
    def living(self, account: Account) -> DesignQuerySet:
        return self.filter(account=account, expires_at__gt=timezone.now())

    def expired(self) -> DesignQuerySet:
        return self.filter(expires_at__lte=timezone.now())


class VoiceDesign(models.Model):
    """What a voice should be like, and what is said to hear it."""

    public_id = models.CharField(max_length=40, unique=True, default=ids.design_id)
    account = models.ForeignKey(Account, models.CASCADE, related_name="voice_designs")
    description = models.CharField(max_length=500)
    text = models.CharField(max_length=300)
    language = models.CharField(max_length=35, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    objects = DesignQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.public_id

    @classmethod
    def draft(
        cls, account: Account, origin: Origin, description: str, text: str, language: str = ""
    ) -> VoiceDesign:
        """A design that is not stored before its first candidate is. Raises InvalidVoiceField and
        DesignLimitReached."""
        if cls.objects.living(account).count() >= MOST_DESIGNS:
            raise DesignLimitReached(f"This account has {MOST_DESIGNS} designs: drop one, or keep.")
        return cls(
            account=account,
            description=_clean("description", description, *DESCRIPTION_LENGTHS),
            text=_clean("text", text, *TEXT_LENGTHS),
            language=clean_language(language),
            created_by=origin.user,
            expires_at=timezone.now() + LIFE,
        )

    def check_room(self) -> None:
        """Raise VoiceLimitReached for one candidate too many, or where there is no room for it."""
        check_bytes(self.account)
        if self.pk and self.candidates.count() >= MOST_CANDIDATES:
            raise DesignLimitReached(f"A design has at most {MOST_CANDIDATES} candidates.")

    def add(self, sample: Sample, said: str, seed: int | None, model: str) -> DesignCandidate:
        """Keep what was spoken with one seed. Raises StorageUnavailable."""
        with storage.keeping(sample.wav) as stored:
            if not self.pk:
                self.save()
            self.check_room()
            last = self.candidates.aggregate(last=Max("number"))["last"] or 0
            return DesignCandidate.objects.create(
                design=self,
                number=last + 1,
                seed=seed,
                model=model,
                transcript=said,
                object_key=stored.key,
                sha256=stored.sha256,
                size=stored.size,
                sample_rate=sample.sample_rate,
                report=sample.report.as_json(),
            )

    def discard(self, actor: Actor) -> None:
        """Erase it with all its candidates."""
        with transaction.atomic():
            record("design.erase", actor, self, self.account)
            erasure = self.end()
        erasure.finish_if_possible()

    def end(self, but: DesignCandidate | None = None) -> Erasure:
        """Erase it, ``but`` for the recording of a candidate that a voice takes over: should that
        fail the draft stays. The caller finishes the erasure when its transaction is over."""
        others = self.candidates.exclude(pk=but.pk) if but else self.candidates.all()
        recordings = dict(others.values_list("object_key", "sha256"))
        begin = Erasure.with_change if but else Erasure.begin
        erasure = begin(Erasure.Kind.DESIGN, self.public_id, recordings)
        self.delete()
        return erasure


class DesignCandidate(models.Model):
    """One take of a design, stored as a version of a voice is."""

    design = models.ForeignKey(VoiceDesign, models.CASCADE, related_name="candidates")
    number = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField(null=True)
    model = models.CharField(max_length=200)
    transcript = models.TextField()
    object_key = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    sample_rate = models.PositiveIntegerField()
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["design", "number"], name="candidates_are_numbered")
        ]

    def __str__(self) -> str:
        return f"{self.design} candidate {self.number}"

    def wav(self) -> bytes:
        """What was spoken. Raises StorageUnavailable."""
        return storage.read(self.object_key)

    def recording(self) -> dict[str, Any]:
        """What a version of a voice is made of."""
        names = ("object_key", "sha256", "size", "sample_rate", "transcript", "report")
        return {name: getattr(self, name) for name in names}


def drop_expired() -> None:
    """Erase what nobody has kept in time."""
    for design in VoiceDesign.objects.expired():
        design.discard(SYSTEM)


def _clean(field: str, text: str, least: int, most: int) -> str:
    cleaned = " ".join(text.split())
    if not least <= len(cleaned) <= most:
        raise InvalidVoiceField(f"It has {least} to {most} characters.", field)
    return cleaned
