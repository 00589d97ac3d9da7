"""What belongs to a voice: its recordings, one for each version, and what people report of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.audit import Actor, record
from accounts.models import Account
from voices import storage
from voices.consents import UNCHECKED

if TYPE_CHECKING:
    from voices.models import Voice


class VoiceSample(models.Model):
    """One version of a voice: our own re-encoded recording, its words and what the check found."""

    voice = models.ForeignKey("Voice", models.CASCADE, related_name="samples")
    version = models.PositiveIntegerField()
    object_key = models.CharField(max_length=200, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    size = models.PositiveIntegerField(editable=False)
    sample_rate = models.PositiveIntegerField(editable=False)
    transcript = models.TextField(blank=True)
    report = models.JSONField(default=dict)
    overridden = models.BooleanField("warnings overridden", default=False)
    speaker_checked = models.CharField(
        max_length=100, default=UNCHECKED, help_text="Who found the voice of its consent in it."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = "version", "versions"
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["voice", "version"], name="one_sample_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.voice} v{self.version}"

    def wav(self) -> bytes:
        """The recording as the model hears it. Raises StorageUnavailable."""
        return storage.read(self.object_key)


class VoiceReport(models.Model):
    """Somebody says that a voice should not be here: for people to look at."""

    voice = models.ForeignKey("Voice", models.CASCADE, related_name="reports")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    reason = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = "report of misuse", "reports of misuse"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.voice}: #{self.pk}"

    @classmethod
    def file(cls, voice: Voice, account: Account, reason: str, actor: Actor) -> VoiceReport:
        """Tell the operators; that somebody did is logged."""
        with transaction.atomic():
            told = cls.objects.create(voice=voice, account=account, reason=reason)
            record("voice.report", actor, voice, account)
        return told
