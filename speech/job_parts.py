"""The parts of a Job: its segments, the files that are made of them, who is told of its end, and
what is left of it when it is erased.

A segment is finished in one transaction with the charge for it: ``Segment.finish`` is what the
ledger writes beside the closing of the usage record, and it raises Unwanted where the segment is
no longer to be said so. However a process ends, each is made once and charged once.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from speech.job_models import ENDED, ChangedMeanwhile, Job, State, Unwanted, WrongState

MAX_ATTEMPTS = 3


def output_id() -> str:
    return f"out_{secrets.token_hex(12)}"


class Segment(models.Model):
    """A piece of a text that is said in one go: one Synthesis, one usage record, one recording."""

    class State(models.TextChoices):
        PENDING = "pending"
        FINISHED = "finished"
        FAILED = "failed"

    job = models.ForeignKey(Job, models.CASCADE, related_name="segments", db_index=False)
    index = models.PositiveIntegerField()
    chapter = models.PositiveIntegerField(default=0)
    speaker = models.CharField(max_length=100, blank=True)
    text = models.TextField()
    characters = models.PositiveIntegerField()
    voice = models.CharField(max_length=200, blank=True, help_text="Other than its speaker's.")
    seed = models.BigIntegerField(null=True, help_text="Other than the job's.")
    pause_ms = models.PositiveIntegerField(default=0, help_text="Silence behind it.")

    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    version = models.PositiveIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)

    # What was said last; it is heard until it is said anew.
    audio = models.CharField(max_length=200, blank=True)
    samples = models.PositiveBigIntegerField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    spoken_seed = models.BigIntegerField(null=True)
    spoken_voice = models.CharField(max_length=200, blank=True)
    wall_ms = models.PositiveIntegerField(default=0)
    usage_id = models.BigIntegerField(null=True, help_text="The record under which it is charged.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["job", "index"], name="one_segment_per_place")
        ]
        indexes = [models.Index(fields=["job", "state", "finished_at"], name="segments_by_state")]

    def __str__(self) -> str:
        return f"{self.job_id}:{self.index}"

    @property
    def seconds(self) -> float:
        """How long its audio lasts."""
        return self.samples / self.sample_rate if self.sample_rate else 0.0

    @property
    def drawn_seed(self) -> int:
        """Its seed where nobody chose one: another for each time that it is said anew, and for
        each attempt at what failed."""
        return self.job.drawn_seed + self.version - 1 + self.attempts

    @property
    def voice_asked(self) -> str:
        """Its own voice, else its speaker's, its chapter's or the job's; "" leaves it to us."""
        if self.voice:
            return self.voice
        if self.speaker:
            return str(self.job.speakers.get(self.speaker) or self.speaker)
        chapters = self.job.chapters
        own = chapters[self.chapter].get("voice") if self.chapter < len(chapters) else ""
        return str(own or self.job.voice)

    def say_again(self, seen: int | None = None, **changes: Any) -> None:
        """Have it said anew, with ``changes`` of text, voice or seed: only it is made and charged.

        What was being said of it is unwanted from here on. Raises WrongState for a cancelled job,
        ChangedMeanwhile where it is not the version any more that was ``seen``.
        """
        if "text" in changes:
            changes["characters"] = len(changes["text"])
        with transaction.atomic():
            self.job.lock()
            if self.job.state == State.CANCELLED:  # all that is left would be said with it
                raise WrongState(self.job.state)
            self.refresh_from_db(fields=["version"])
            if seen not in (None, self.version):
                raise ChangedMeanwhile(self.version)
            Segment.objects.filter(pk=self.pk).update(
                **changes,
                state=self.State.PENDING,
                version=F("version") + 1,
                attempts=0,
                error_code="",
                error="",
            )
            if "text" in changes:
                characters = self.job.segments.aggregate(all=Sum("characters"))["all"]
                Job.objects.filter(pk=self.job_id).update(characters=characters)
            self.job.outputs.update(state=Output.State.PENDING, version=F("version") + 1, error="")
            self.job.reopen()
        self.refresh_from_db()

    def finish(self, **spoken: Any) -> None:
        """It was said. Raises Unwanted when it has changed, or is not ours to say any more."""
        ours = Job.objects.filter(pk=self.job_id, owner=self.job.owner)
        waiting = Segment.objects.filter(
            pk=self.pk, version=self.version, state=self.State.PENDING, job__in=ours
        )
        said = {"state": self.State.FINISHED, "error_code": "", "error": "", "finished_at": Now()}
        if not waiting.update(**said, **spoken):
            raise Unwanted

    def fail(self, code: str, message: str, *, again: bool = False) -> bool:
        """It could not be said; ``again`` tries it some more times. Returns whether it is tried."""
        tries = again and self.attempts + 1 < MAX_ATTEMPTS
        Segment.objects.filter(pk=self.pk, version=self.version, state=self.State.PENDING).update(
            state=self.State.PENDING if tries else self.State.FAILED,
            attempts=F("attempts") + 1,
            error_code=code[:60],
            error=message[:500],
        )
        return tries


class Output(models.Model):
    """A file of a job: the whole as one, or a zip with one for each chapter."""

    class State(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    class Split(models.TextChoices):
        WHOLE = "whole"
        CHAPTERS = "chapters"

    FORMATS = ("mp3", "m4b", "wav", "flac", "opus")

    public_id = models.CharField(max_length=40, unique=True, default=output_id, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="outputs", db_index=False)
    format = models.CharField(max_length=10)
    split = models.CharField(max_length=10, choices=Split.choices, default=Split.WHOLE)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    version = models.PositiveIntegerField(default=1)
    error = models.CharField(max_length=500, blank=True)
    file = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    loudness = models.FloatField(null=True, help_text="Of what was made, in LUFS.")
    made_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["job", "format", "split"], name="one_output_per_kind")
        ]

    def __str__(self) -> str:
        return f"{self.format}, {self.split}"

    @classmethod
    def want(cls, job: Job, format: str, split: str) -> Output:
        """Have a file made, or made again where that failed. Raises WrongState for a cancelled
        job."""
        with transaction.atomic():
            job.lock()
            if job.state == State.CANCELLED:
                raise WrongState(job.state)
            output, _ = cls.objects.get_or_create(job=job, format=format, split=split)
            if output.state == cls.State.FAILED:
                cls.objects.filter(pk=output.pk).update(state=cls.State.PENDING, error="")
                output.refresh_from_db()
            if output.state == cls.State.PENDING and job.state in ENDED:
                job.reopen()
        return output


class WebhookDelivery(models.Model):
    """A call to somebody who wanted to hear of a job's end: tried until it is taken or too old."""

    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=200)
    event_id = models.CharField(max_length=40, unique=True)
    body = models.TextField()
    job = models.ForeignKey(Job, models.CASCADE, related_name="deliveries")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, default=timezone.now)
    delivered_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(next_at__isnull=False), name="webhooks_due"
            )
        ]
        verbose_name_plural = "webhook deliveries"

    def __str__(self) -> str:
        return f"{self.event_id}: {self.outcome or 'waiting'}"


class ErasedFolder(models.Model):
    """Where the files of an erased job lay: looked through until nothing can be in it any more."""

    name = models.CharField(max_length=60, unique=True)
    look_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
