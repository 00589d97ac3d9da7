"""What a model made of the built-in voices: each is spoken once, and that recording is the voice.

Each has a row among the voices (``add_voices``), by which an operator manages it. A take's row
is also the lock: whoever makes it holds its lease by a mark, and nobody else may finish it. Knows
nothing of engines.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps as every_app
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from voices import storage
from voices.finding import Kind, Visibility
from voices.names import name_key
from voices.policy import Policy
from voices.presets import PRESETS, Preset
from voices.samples import Sample

if TYPE_CHECKING:
    from voices.models import Voice

LEASE = timedelta(seconds=30)
# What failed is left alone for so long.
REST = timedelta(seconds=60)


def add_voices(using: str, apps: Any = every_app, **kwargs: Any) -> None:
    """Whenever the database was migrated or emptied: each built-in voice has its row, and says of
    itself what this version of the platform does. Its state stays."""
    try:
        voice = apps.get_model("voices", "Voice")
    except LookupError:  # migrated back to before there were voices
        return
    if not voice._meta.get_field("account").null:  # or to before these had rows
        return
    about = ("name", "name_key", "description")
    voice.objects.using(using).bulk_create(
        [
            voice(
                public_id=preset.name,
                kind=Kind.PRESET,
                name=preset.label,
                name_key=name_key(preset.label),
                description=preset.description,
                visibility=Visibility.PUBLIC,
                consent_policy=Policy.OFF,
            )
            for preset in PRESETS.values()
        ],
        update_conflicts=True,
        unique_fields=["public_id"],
        update_fields=about,
    )


class TakeQuerySet(models.QuerySet["BuiltInTake"]):
    def of_voice(self, voice: Voice) -> TakeQuerySet:
        return self.filter(preset=voice.public_id)

    def of_model(self, model: str) -> TakeQuerySet:
        return self.filter(model=model)

    def ready(self) -> TakeQuerySet:
        return self.exclude(object_key="")

    def to_make(self) -> TakeQuerySet:
        """Those that nobody has made, or makes now, or has just failed to make."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rested = Q(failed_at=None) | Q(failed_at__lt=now - REST)
        return self.filter(free & rested, object_key="")

    def being_made(self) -> TakeQuerySet:
        return self.filter(lease_until__gte=timezone.now(), object_key="")

    def want_all(self, model: str) -> None:
        """From now on all built-in voices of this model are to be made."""
        self.bulk_create(
            [BuiltInTake(preset=name, model=model) for name in PRESETS], ignore_conflicts=True
        )


class BuiltInTake(models.Model):
    """One built-in voice of one model: wanted, being made, or kept."""

    preset = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1, help_text="Rises when it is made anew.")
    mark = models.CharField(max_length=32, blank=True, help_text="Whose attempt it is.")
    lease_until = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    seed = models.PositiveBigIntegerField(null=True)
    object_key = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    transcript = models.TextField(blank=True)
    report = models.JSONField(default=dict)
    made_at = models.DateTimeField(null=True)

    objects = TakeQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = "built-in take", "built-in takes"
        ordering = ["model", "preset"]
        constraints = [
            models.UniqueConstraint(fields=["preset", "model"], name="one_take_of_each_model")
        ]

    def __str__(self) -> str:
        return f"{self.preset} of {self.model}"

    @property
    def recipe(self) -> Preset:
        """What is said to make it."""
        return PRESETS[self.preset]

    @property
    def is_ready(self) -> bool:
        return bool(self.object_key)

    @property
    def is_being_made(self) -> bool:
        return (
            not self.is_ready and self.lease_until is not None and self.lease_until > timezone.now()
        )

    @property
    def has_just_failed(self) -> bool:
        """Making it again would most likely fail again."""
        return self.failed_at is not None and self.failed_at > timezone.now() - REST

    def give_up(self) -> bool:
        """In the caller's transaction: it is to be made anew. False where there is nothing made, or
        by now something else."""
        kept = BuiltInTake.objects.ready().filter(pk=self.pk, object_key=self.object_key)
        nothing = {"object_key": "", "sha256": "", "size": 0, "sample_rate": 0, "transcript": ""}
        given_up = kept.update(
            **nothing, version=F("version") + 1, mark="", seed=None, report={}, made_at=None
        )
        if given_up:
            storage.give_up(self.object_key)
        return bool(given_up)

    # -- the attempt that holds the mark

    def claim(self, mark: str) -> bool:
        """Begin to make it. Of several callers one gets to, until its lease runs out."""
        free = BuiltInTake.objects.to_make().filter(pk=self.pk)
        return bool(free.update(mark=mark, lease_until=timezone.now() + LEASE))

    def renew(self, mark: str) -> bool:
        """Say that it is still being made; False when that is no longer ours to say."""
        return self._change(mark, lease_until=timezone.now() + LEASE)

    def keep(self, mark: str, sample: Sample, transcript: str, seed: int) -> bool:
        """It is made; False when somebody else has taken over. Raises StorageUnavailable."""
        with storage.keeping(sample.wav) as stored:
            kept = self._change(
                mark,
                object_key=stored.key,
                sha256=stored.sha256,
                size=stored.size,
                sample_rate=sample.sample_rate,
                transcript=transcript,
                seed=seed,
                report=sample.report.as_json(),
                made_at=timezone.now(),
                lease_until=None,
                error="",
            )
        if not kept:
            storage.forget(stored.key)
        return kept

    def let_go(self, mark: str) -> None:
        """Not made, and nobody's fault: the next may begin at once."""
        self._change(mark, lease_until=None)

    def fail(self, mark: str, error: str) -> None:
        """Not made, and it would not help to try again at once."""
        failed = {"failed_at": timezone.now(), "failures": F("failures") + 1, "error": error}
        self._change(mark, lease_until=None, **failed)

    def _change(self, mark: str, **fields: Any) -> bool:
        own = BuiltInTake.objects.filter(pk=self.pk, mark=mark, object_key="")
        return bool(own.update(**fields))
