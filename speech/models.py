"""What is stored about speech: one UsageRecord per synthesis, the models one may ask for, and how
far the fetching of a model got.

Of the text a record has its length and a keyed hash alone; what people keep of it stands in
``speech/history.py``. Who opens and closes the records
stands in ``speech/usage.py`` and ``speech/ledger.py``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import models
from django.db.models import Q
from django.db.models.query import RawQuerySet
from django.utils import timezone

from accounts.models import Account, ApiKey
from speech.history import HistoryItem
from speech.job_models import Job
from speech.job_parts import ErasedFolder, Output, Segment, WebhookDelivery
from speech.operations import EngineMeasurement, Notice

__all__ = [
    "EngineMeasurement",
    "ErasedFolder",
    "HistoryItem",
    "Job",
    "ModelDownload",
    "Notice",
    "Output",
    "Segment",
    "SpeechModel",
    "UsageDay",
    "UsageRecord",
    "WebhookDelivery",
]


class UsageRecord(models.Model):
    """Who had what spoken, how it went and what it cost. Opened once, closed once, kept."""

    class Outcome(models.TextChoices):
        OPEN = "open"
        COMPLETED = "completed"
        CLIENT_CLOSED = "client_closed", "Client left"
        SERVER_FAILED = "server_failed", "Server failed"
        CANCELLED = "cancelled"  # stopped by a person or an operator

    request_id = models.CharField("request ID", max_length=64)
    account = models.ForeignKey(Account, models.PROTECT, related_name="usage", db_index=False)
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    key = models.ForeignKey(
        ApiKey, models.SET_NULL, null=True, related_name="usage", db_index=False
    )
    user_agent = models.CharField(max_length=200, blank=True)
    face = models.CharField(max_length=20)

    voice = models.CharField(max_length=100)
    model = models.CharField("model asked for", max_length=100)
    model_used = models.CharField("model that spoke", max_length=100, blank=True)
    engine = models.CharField(max_length=40)
    response_format = models.CharField(max_length=10)
    stream_format = models.CharField(max_length=10)
    settings = models.JSONField(default=dict)
    seed = models.BigIntegerField(null=True)

    characters = models.PositiveIntegerField()
    text_hash = models.CharField("hash of the text", max_length=64, blank=True)
    audio_ms = models.PositiveBigIntegerField("audio delivered, ms", default=0)
    bytes_sent = models.PositiveBigIntegerField(default=0)
    queue_ms = models.FloatField("time in the queue, ms", null=True)
    ttfa_ms = models.FloatField("time to first audio, ms", null=True)
    wall_ms = models.FloatField("wall time, ms", null=True)
    rtf = models.FloatField("real-time factor", null=True)

    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.OPEN)
    finish_reason = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)

    month = models.CharField(max_length=7)
    reserved_characters = models.PositiveBigIntegerField("characters reserved")
    reserved_ms = models.PositiveBigIntegerField("audio reserved, ms")
    characters_charged = models.PositiveBigIntegerField(default=0)
    ms_charged = models.PositiveBigIntegerField("audio charged, ms", default=0)

    boot = models.CharField("server process", max_length=32)
    lease_until = models.DateTimeField("lease ends at", null=True)  # set while the record is open
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["created_at"], name="usage_by_date"),
            models.Index(fields=["account", "created_at"], name="usage_by_account"),
            models.Index(fields=["key", "created_at"], name="usage_by_key"),
            models.Index(fields=["request_id"], name="usage_by_request"),
            models.Index(fields=["voice", "created_at"], name="usage_by_voice"),
            models.Index(fields=["text_hash"], name="usage_by_text"),
            # Tiny: only open records have a lease. The condition is one that both databases can
            # see to hold for "lease_until < now".
            models.Index(
                fields=["lease_until"], condition=Q(lease_until__isnull=False), name="usage_open"
            ),
        ]

    def __str__(self) -> str:
        return self.request_id


class UsageDay(models.Model):
    """What one key had spoken on one day (UTC) with one voice and model: the charts' source.

    A million records are too many to add up while somebody waits, so each adds itself as it closes.
    """

    day = models.DateField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    key_id = models.BigIntegerField(default=0, help_text="0 where a person spoke without a key.")
    voice = models.CharField(max_length=100)
    model = models.CharField(max_length=100)
    requests = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    characters = models.PositiveBigIntegerField("characters charged", default=0)
    audio_ms = models.PositiveBigIntegerField("audio delivered, ms", default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "account", "key_id", "voice", "model"], name="one_row_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.requests} requests"


class SpeechModelManager(models.Manager["SpeechModel"]):
    def switched_on(self) -> RawQuerySet[SpeechModel]:
        """The enabled models, oldest first. Every request asks this: the ORM would take longer to
        compose it than to run it."""
        return self.raw("SELECT * FROM speech_speechmodel WHERE enabled ORDER BY id")

    def named(self, name: str) -> SpeechModel | None:
        """The enabled model of this name, or of which this is a further name."""
        exact = "SELECT * FROM speech_speechmodel WHERE enabled AND name = %s"
        for model in self.raw(exact, [name]):
            return model
        for model in self.switched_on():
            if name in model.aliases:
                return model
        return None


class SpeechModel(models.Model):
    """A public model name and the settings of the running engine it stands for."""

    name = models.CharField(max_length=100, unique=True)
    aliases = models.JSONField("further names", default=list, blank=True)
    enabled = models.BooleanField(default=True)
    inference_timesteps = models.PositiveSmallIntegerField(
        default=10, help_text="More steps sound better and take longer."
    )
    cfg_value = models.FloatField("CFG value", default=2.0)
    allows_instructions = models.BooleanField(default=False)
    ignores_stream_format = models.BooleanField(
        default=False, help_text="Always answer with plain audio, as the names of OpenAI's do."
    )
    owned_by = models.CharField(max_length=100, default="voxplatform")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SpeechModelManager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ModelDownload(models.Model):
    """How far the fetching of a model got. One row a model, whoever asks for it.

    Whoever fetches renews the row every second under a mark of the attempt, so that an attempt
    whose server died, or that was cancelled, has nothing more to say.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        INSTALLED = "installed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    SILENCE = timedelta(seconds=15)  # after which whoever was fetching is taken for dead

    name = models.CharField("directory", max_length=255, unique=True)
    model = models.CharField(max_length=200)
    hub = models.CharField(
        max_length=20,
        choices=[("huggingface", "Hugging Face"), ("modelscope", "ModelScope")],
        default="huggingface",
    )
    state = models.CharField(max_length=20, choices=State.choices, default=State.CANCELLED)
    size = models.PositiveBigIntegerField("bytes in all", default=0)
    done = models.PositiveBigIntegerField("bytes fetched", default=0)
    error = models.TextField(blank=True)
    machine = models.CharField(max_length=200, blank=True)
    attempt = models.CharField(max_length=32, blank=True)
    started_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField("last heard of", null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        """Whether somebody is fetching it now."""
        return self.state == self.State.RUNNING and not self.is_interrupted

    @property
    def is_interrupted(self) -> bool:
        """Whether it should be running, but nobody was heard of for too long."""
        silent = self.heard_at is None or self.heard_at < _silent_since()
        return self.state == self.State.RUNNING and silent

    def begin(self, attempt: str, **about: Any) -> bool:
        """Start an attempt, unless one is running. Of several callers one gets to start."""
        running = Q(state=self.State.RUNNING, heard_at__gte=_silent_since())
        now = timezone.now()
        fresh = {"state": self.State.RUNNING, "error": "", "started_at": now, "heard_at": now}
        return self._change(~running, attempt=attempt, **fresh, **about)

    def hear(self, attempt: str, **news: int) -> bool:
        """Write down how far the attempt is; False when it is over, so that it ends."""
        return self._change(self._of(attempt), heard_at=timezone.now(), **news)

    def end(self, attempt: str, state: State, error: str = "", **news: int) -> bool:
        """Close the attempt."""
        return self._change(
            self._of(attempt), state=state, error=error, heard_at=timezone.now(), **news
        )

    def cancel(self) -> bool:
        """Have whoever fetches it stop within a second or two."""
        return self._change(Q(state=self.State.RUNNING), state=self.State.CANCELLED)

    def _of(self, attempt: str) -> Q:
        return Q(state=self.State.RUNNING, attempt=attempt)

    def _change(self, condition: Q, **fields: Any) -> bool:
        return bool(type(self).objects.filter(condition, pk=self.pk).update(**fields))


def _silent_since() -> datetime:
    return timezone.now() - ModelDownload.SILENCE
