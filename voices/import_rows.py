"""Rows of an import: the archive that was sent, and each line of its table with what became of it.

Whoever works on an import holds its lease. The work itself stands in ``voices/imports.py``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.audit import Actor, record
from accounts.models import Account
from voices import ids, storage
from voices.exceptions import StorageUnavailable, TranscriberUnavailable

LEASE = timedelta(seconds=90)  # longer than any one file takes
MAX_ATTEMPTS = 3
# These say nothing of the file that was worked on.
_ELSEWHERE = (StorageUnavailable, TranscriberUnavailable, OperationalError, InterfaceError)


class VoiceImport(models.Model):
    """An archive of recordings on its way to being voices of an account."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    archive_key = models.CharField(max_length=200, editable=False)
    statement = models.TextField(
        blank=True, help_text="That the owners of the voices agree, for lines that do not say so."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    worker = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_by = models.CharField(max_length=300, help_text="The person or command that asked.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = "import", "imports"
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def actor(self) -> Actor:
        """In whose name its voices are made."""
        kind = "user" if self.created_by_id else "command"
        return Actor(kind, self.asked_by, self.created_by_id)

    def count(self) -> dict[str, int]:
        """How many files there are of each state."""
        counted = self.files.order_by().values_list("state").annotate(models.Count("pk"))
        return dict.fromkeys(ImportedFile.State.values, 0) | dict(counted)

    def waiting(self) -> models.QuerySet[ImportedFile]:
        """What is still to be done, in order; what failed its worker comes last."""
        left = self.files.filter(state=ImportedFile.State.WAITING)
        return left.order_by("attempts", "number")

    @classmethod
    def claim(cls) -> VoiceImport | None:
        """The oldest that nobody works on, for this caller alone, until its lease ends."""
        now, worker = timezone.now(), secrets.token_hex(16)
        undone = Q(state=cls.State.WAITING) | Q(state=cls.State.RUNNING, lease_until__lt=now)
        for pk in cls.objects.filter(undone).order_by("pk").values_list("pk", flat=True)[:5]:
            taken = cls.objects.filter(undone, pk=pk).update(
                state=cls.State.RUNNING, worker=worker, lease_until=now + LEASE
            )
            if taken:
                return cls.objects.select_related("account").get(pk=pk)
        return None

    def renew(self) -> bool:
        """Go on for a while; False when it was cancelled or is somebody else's."""
        mine = VoiceImport.objects.filter(pk=self.pk, worker=self.worker, state=self.State.RUNNING)
        return bool(mine.update(lease_until=timezone.now() + LEASE))

    def release(self) -> None:
        """Whoever looks next may go on."""
        mine = VoiceImport.objects.filter(pk=self.pk, worker=self.worker, state=self.State.RUNNING)
        mine.update(lease_until=timezone.now())

    def finish(self) -> None:
        """Every file of it is done."""
        self._end(self.State.DONE, worker=self.worker)

    def cancel(self, actor: Actor) -> None:
        """What is done stays; the rest is not."""
        with transaction.atomic():
            if self._end(self.State.CANCELLED):
                record("voices.cancel_import", actor, self, self.account)
        self.refresh_from_db()

    def _end(self, state: str, **held: str) -> bool:
        """Once; its archive goes as a crash's leftovers do, so that nothing can keep it."""
        with transaction.atomic():
            living = VoiceImport.objects.filter(pk=self.pk, ended_at=None, **held)
            if not living.update(state=state, ended_at=timezone.now(), archive_key=""):
                return False
            storage.give_up(self.archive_key)
        return True


class ImportedFile(models.Model):
    """A line of the table, and what became of it. Its voice has its id before it is made."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    of = models.ForeignKey(VoiceImport, models.CASCADE, related_name="files", verbose_name="import")
    number = models.PositiveIntegerField("line")
    file = models.CharField(max_length=500)
    name = models.CharField(max_length=100)
    transcript = models.TextField(blank=True)
    language = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    consent = models.TextField(blank=True)
    override = models.BooleanField(default=False)
    voice_id = models.CharField(max_length=40, default=ids.voice_id, db_index=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    report = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["of", "number"], name="one_row_per_line")]

    def __str__(self) -> str:
        return f"{self.number}: {self.file}"

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """It is worked on in this block. Counted first: its worker may not come to that later."""
        own = ImportedFile.objects.filter(pk=self.pk)
        own.update(attempts=F("attempts") + 1)
        try:
            yield
        except _ELSEWHERE:
            own.update(attempts=F("attempts") - 1)
            raise

    def tell(self, state: str, report: str = "") -> None:
        """What became of it. What the table said is its voice's now, and not kept here as well."""
        nothing: dict[str, Any] = {"transcript": "", "description": "", "consent": ""}
        waiting = ImportedFile.objects.filter(pk=self.pk, state=self.State.WAITING)
        waiting.update(state=state, report=report, **nothing)

    @classmethod
    def forget(cls, voice_id: str) -> None:
        """Its voice is erased: no name is left here either."""
        cls.objects.filter(voice_id=voice_id).update(file="", name="", report="")
