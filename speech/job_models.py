"""A long text as a Job: whose it is, how it is to be spoken, and where it stands.

A job belongs to one runner at a time, for as long as its lease is renewed; leases run on the
database's clock. What a person does to it moves its state by one conditional UPDATE. Its segments
and files stand in ``speech/job_parts.py``. Knows nothing of engines, threads or containers.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import models, transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.models import Account, ApiKey

SEEDS = 2**31


class Unwanted(Exception):
    """What was made is not wanted any more: nothing is charged for it."""


class Conflict(Exception):
    """It cannot be done to what is there now."""

    status = 409
    type = "conflict_error"
    should_retry = False


class WrongState(Conflict):
    """The job is not in a state in which this can be done."""

    code = "job_state"

    def __init__(self, state: str) -> None:
        super().__init__(f"This cannot be done to a job that is {state}.")


class ChangedMeanwhile(Conflict):
    """Somebody else has changed what is to be changed since it was looked at."""

    code = "changed_meanwhile"

    def __init__(self, version: int) -> None:
        super().__init__(f"Somebody has changed it meanwhile: it is version {version}.")


def job_id() -> str:
    return f"job_{secrets.token_hex(12)}"


def draw_seed() -> int:
    return secrets.randbelow(SEEDS)


class State(models.TextChoices):
    DRAFT = "draft"  # not started: may still be changed as a whole
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # goes on by itself, ``reason`` says what for
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"  # some segments could not be said; the rest is there
    CANCELLED = "cancelled"


ACTIVE = (State.QUEUED, State.RUNNING, State.WAITING)
ENDED = (State.COMPLETED, State.FAILED, State.CANCELLED)


class JobQuerySet(models.QuerySet["Job"]):
    def claimable(self) -> JobQuerySet:
        """Those that could run now and that nobody holds."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        due = Q(not_before__isnull=True) | Q(not_before__lt=Now())
        return self.filter(free, due, state__in=ACTIVE)

    def in_turn(self) -> JobQuerySet:
        """In the order of the queue."""
        return self.order_by("position", "pk")

    def claim(
        self, owner: str, lease: timedelta, busy: Collection[int] = (), *, others: bool = False
    ) -> Job | None:
        """Take the job whose turn it is, for ``owner``; accounts in ``busy`` come last, or with
        ``others`` not at all."""
        waiting = self.claimable().in_turn()
        if others:
            waiting = waiting.exclude(account__in=busy)
        found = waiting.values_list("pk", "account_id")[:1000]
        for pk, _ in sorted(found, key=lambda found: found[1] in busy):
            mine = (
                self.claimable()
                .filter(pk=pk)
                .update(
                    state=State.RUNNING,
                    reason="",
                    message="",
                    owner=owner,
                    not_before=None,
                    claimed_at=Now(),
                    started_at=Coalesce("started_at", Now()),
                    lease_until=Now() + lease,
                )
            )
            if mine:
                return self.select_related("account", "key").get(pk=pk)
        return None

    def renew(self, owners: Collection[str], lease: timedelta) -> set[str]:
        """Keep what these owners hold; returns the owners who still do."""
        held = self.filter(owner__in=owners, state=State.RUNNING)
        held.update(lease_until=Now() + lease)
        return set(held.values_list("owner", flat=True))

    def expired(self, days: int) -> JobQuerySet:
        """Those that ended so long ago that they are not kept."""
        return self.filter(state__in=ENDED, finished_at__lt=timezone.now() - timedelta(days=days))


class Job(models.Model):
    """A text of up to a million characters on its way to audio."""

    State = State

    public_id = models.CharField(max_length=40, unique=True, default=job_id, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="jobs")
    user = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")

    title = models.CharField(max_length=200, blank=True)
    settings = models.JSONField(default=dict, help_text="Model, speed, language and the like.")
    voice = models.CharField(max_length=200, blank=True)
    speakers = models.JSONField(default=dict, help_text="The voice of each speaker, by name.")
    chapters = models.JSONField(default=list, help_text="Titles, and voices where they differ.")
    seed = models.BigIntegerField(null=True, help_text="Asked for; else one was drawn.")
    drawn_seed = models.BigIntegerField(default=draw_seed, editable=False)
    cast = models.JSONField(default=dict, help_text="Which voice each one that was asked for is.")
    takes = models.JSONField(default=dict, help_text="What others go on in the voice of.")
    characters = models.PositiveIntegerField(default=0)

    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    reason = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=500, blank=True)
    position = models.FloatField(default=0)
    owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)

    webhook_url = models.URLField(max_length=500, blank=True)
    webhook_secret = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["account", "-id"], name="jobs_of_account"),
            models.Index(fields=["state", "position"], name="jobs_in_turn"),
        ]

    def __str__(self) -> str:
        return self.title or self.public_id

    # -- what a person does

    def start(self, cast: Mapping[str, str] | None = None) -> None:
        """Put a draft into the queue, behind all others. ``cast`` says which voice each one that
        it asks for is: these it keeps, whatever else is called so later."""
        last = Job.objects.filter(state__in=ACTIVE).aggregate(last=Max("position"))["last"] or 0
        self._move((State.DRAFT,), State.QUEUED, position=last + 1, cast=dict(cast or {}))

    def change(self, **fields: Any) -> None:
        """Have a draft spoken otherwise. Raises WrongState once it is none."""
        self._move((State.DRAFT,), State.DRAFT, **fields)

    def pause(self) -> None:
        """Begin no further segment until ``resume``; those that are being said are finished."""
        self._move(ACTIVE, State.PAUSED, **_WELL)

    def resume(self, user_id: int | None, key: ApiKey | None) -> None:
        """Go on, on behalf of whoever says so."""
        self._move(
            (State.PAUSED, State.WAITING), State.QUEUED, user_id=user_id, key=key, **_NOBODYS
        )

    def cancel(self) -> None:
        """Begin no further segment at all; what is there stays."""
        was = (State.DRAFT, *ACTIVE, State.PAUSED)
        self._move(was, State.CANCELLED, finished_at=Now(), **_WELL)

    def retry(self, user_id: int | None, key: ApiKey | None) -> None:
        """Say again what failed or was never said, and make again the files that failed."""
        with transaction.atomic():
            self._move(
                (State.FAILED, State.CANCELLED),
                State.QUEUED,
                user_id=user_id,
                key=key,
                finished_at=None,
                **_NOBODYS,
            )
            self.segments.filter(state="failed").update(
                state="pending", attempts=0, error_code="", error=""
            )
            self.outputs.filter(state="failed").update(state="pending", error="")

    def reopen(self) -> None:
        """Something of it is to be said or made again. A draft or a paused job stays what it is."""
        changed = Job.objects.filter(pk=self.pk, state__in=(*ENDED, State.QUEUED, State.WAITING))
        changed.update(state=State.QUEUED, finished_at=None, **_NOBODYS)
        self.refresh_from_db(fields=["state"])

    def _move(self, was: Collection[str], state: str, **fields: Any) -> None:
        if not Job.objects.filter(pk=self.pk, state__in=was).update(state=state, **fields):
            self.refresh_from_db(fields=["state"])
            raise WrongState(self.state)
        self.refresh_from_db()

    # -- what a runner does

    def release(self, **fields: Any) -> bool:
        """Let go of it, for now or, with another state among ``fields``, for good."""
        mine = Job.objects.filter(pk=self.pk, owner=self.owner, state=State.RUNNING)
        return bool(mine.update(owner="", lease_until=None, **fields))

    def wait(self, reason: str, message: str, seconds: float) -> bool:
        """Something is missing that may come back: look again after a while."""
        return self.release(
            state=State.WAITING,
            reason=reason,
            message=message[:500],
            not_before=Now() + timedelta(seconds=seconds),
        )

    def lock(self) -> None:
        """In a transaction: its state is the newest one, and nobody else's to change until then."""
        found = Job.objects.select_for_update().filter(pk=self.pk).values_list("state", flat=True)
        self.state = next(iter(found), self.state)

    @transaction.atomic
    def complete(self) -> bool:
        """All is said and made, as far as it could be; False when there is something left."""
        self.lock()  # whoever has something made again comes before this, or after
        pending = self.segments.model.objects.filter(job=OuterRef("pk"), state="pending")
        unmade = self.outputs.model.objects.filter(job=OuterRef("pk"), state="pending")
        failed = self.segments.filter(state="failed").count()
        unmade_for_good = self.outputs.filter(state="failed").count()
        done = Job.objects.filter(~Exists(pending), pk=self.pk, owner=self.owner)
        if not failed:
            done = done.filter(~Exists(unmade))
        state = State.FAILED if failed or unmade_for_good else State.COMPLETED
        reason = "segments_failed" if failed else "outputs_failed" if unmade_for_good else ""
        return bool(
            done.filter(state=State.RUNNING).update(
                state=state, reason=reason, owner="", lease_until=None, finished_at=Now()
            )
        )

    def keep_take(self, voice: str, audio: str, text: str) -> None:
        """From now on this job's segments in ``voice`` go on in the voice of this audio."""
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=self.pk)
            job.takes.setdefault(voice, {"audio": audio, "text": text})
            job.save(update_fields=["takes"])
            self.takes = job.takes

    def lose_take(self, voice: str) -> None:
        """Its audio is not there any more: what is said next in ``voice`` takes its place."""
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=self.pk)
            job.takes.pop(voice, None)
            job.save(update_fields=["takes"])
            self.takes = job.takes


# Whoever holds it lets go of it, after finishing what is being said.
_WELL: dict[str, Any] = {"not_before": None, "reason": "", "message": ""}
_NOBODYS: dict[str, Any] = {
    **_WELL,
    "owner": "",
    "lease_until": None,
}

__all__ = [
    "ACTIVE",
    "ENDED",
    "ChangedMeanwhile",
    "Job",
    "JobQuerySet",
    "State",
    "Unwanted",
    "WrongState",
]
