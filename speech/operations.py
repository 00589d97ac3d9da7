"""What operators keep: notices to everybody, and what the engine was measured to do."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class NoticeQuerySet(models.QuerySet["Notice"]):
    def current(self) -> NoticeQuerySet:
        """Those to be shown now."""
        now = timezone.now()
        return self.filter(Q(until__isnull=True) | Q(until__gt=now), since__lte=now)


class Notice(models.Model):
    """A sentence that stands on every page of the portal."""

    class Level(models.TextChoices):
        INFO = "info"
        WARNING = "warning"

    text = models.CharField(max_length=500)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-since"]

    def __str__(self) -> str:
        return self.text[:60]


class EngineMeasurement(models.Model):
    """What the engine did for so many clients at once, when somebody pressed the button."""

    measured_at = models.DateTimeField(default=timezone.now)
    engine = models.CharField(max_length=40)
    model = models.CharField(max_length=100)
    clients = models.PositiveSmallIntegerField()
    requests = models.PositiveIntegerField()
    failed = models.PositiveIntegerField(default=0)
    ttfa_p50_ms = models.FloatField("first audio, median, ms", null=True)
    ttfa_p95_ms = models.FloatField("first audio, 95th percentile, ms", null=True)
    rtf = models.FloatField("real-time factor of a client", null=True)
    audio_per_second = models.FloatField("seconds of audio per second, all together", null=True)
    measured_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-measured_at", "clients"]

    def __str__(self) -> str:
        return f"{self.model} × {self.clients}"
