"""What a model made of the built-in voices: each is spoken once, and that recording is the voice.

A row is also the lock: whoever makes it holds its lease by a mark, and nobody else may finish it.
Knows nothing of engines.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from voices import storage
from voices.presets import PRESETS, Preset
from voices.samples import Sample

LEASE = timedelta(seconds=30)
# What failed is left alone for so long.
REST = timedelta(seconds=60)


class TakeQuerySet(models.QuerySet["BuiltInTake"]):
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
    def voice(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def is_ready(self) -> bool:
        return bool(self.object_key)

    @property
    def has_just_failed(self) -> bool:
        """Making it again would most likely fail again."""
        return self.failed_at is not None and self.failed_at > timezone.now() - REST

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
