"""The history of a person: what they had spoken, as much of it as their account's rule keeps.

A row is written with its usage record, in the same transaction, so that there is one path and no
synthesis is forgotten; the record has voice, settings and seed. ``purge`` takes away what is due,
rows and audio, and nothing of it is left in the database's files. Knows nothing of requests.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from accounts.models import Account
from accounts.retention import Retention
from voices.erasure import forget_old_pages

logger = logging.getLogger(__name__)
AUDIO_FORMAT = "flac"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Keep:
    """What a synthesis leaves in the history."""

    account_id: int
    user_id: int
    text: str
    instructions: str
    days: int
    with_audio: bool


def keep_of(account: Account, user_id: int, text: str, instructions: str | None) -> Keep | None:
    """What the account's rule keeps of it; None where that is nothing."""
    if not account.remembers(Retention.HASH):
        return None
    words = account.remembers(Retention.TEXT)
    return Keep(
        account_id=account.pk,
        user_id=user_id,
        text=text if words else "",
        instructions=(instructions or "") if words else "",
        days=account.retention_days,
        with_audio=account.remembers(Retention.AUDIO),
    )


class HistoryQuerySet(models.QuerySet["HistoryItem"]):
    def of(self, user_id: int, account: Account) -> HistoryQuerySet:
        """What a person had spoken for an account, newest first, and nobody else's."""
        mine = self.filter(user_id=user_id, account=account, expires_at__gt=timezone.now())
        return mine.select_related("record").order_by("-record_id")

    def search(self, words: str) -> HistoryQuerySet:
        """Those that hold the words, in the text or as the voice."""
        return self.filter(Q(text__icontains=words) | Q(record__voice__icontains=words))


class HistoryItem(models.Model):
    """One synthesis of a person, until ``expires_at``."""

    record = models.OneToOneField(
        "speech.UsageRecord", models.CASCADE, primary_key=True, related_name="history"
    )
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    text = models.TextField(blank=True)
    instructions = models.TextField(blank=True)
    audio_key = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField()

    objects = HistoryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "account", "-record"], name="history_by_person"),
            models.Index(fields=["expires_at"], name="history_by_end"),
        ]

    def __str__(self) -> str:
        return f"history {self.pk}"

    @classmethod
    def add(cls, record_id: int, keep: Keep) -> None:
        """In the transaction that opens the usage record."""
        cls.objects.create(
            record_id=record_id,
            account_id=keep.account_id,
            user_id=keep.user_id,
            text=keep.text,
            instructions=keep.instructions,
            expires_at=timezone.now() + timedelta(days=keep.days),
        )

    @property
    def has_audio(self) -> bool:
        return bool(self.audio_key)

    def read_audio(self) -> bytes:
        """Raises OSError where it cannot be had."""
        with default_storage.open(self.audio_key) as kept:
            return bytes(kept.read())


def add_audio(record_id: int, key: str, file: File[bytes]) -> None:
    """Keep what was heard. The key is written first, so that no object is ever without a row."""
    if HistoryItem.objects.filter(pk=record_id).update(audio_key=key):
        default_storage.save(key, file)


def obey(account: Account) -> None:
    """The account's rule has changed: it holds for what is there already."""
    items = HistoryItem.objects.filter(account=account)
    if not account.remembers(Retention.HASH):
        items.update(expires_at=timezone.now())
    if not account.remembers(Retention.TEXT):
        items.update(text="", instructions="")
    if not account.remembers(Retention.AUDIO):
        _forget_audio(items)
    _count_days(items.filter(expires_at__gt=timezone.now()), account.retention_days)
    purge()


def _count_days(items: models.QuerySet[HistoryItem], days: int) -> None:
    """They are kept for so many days from when they were spoken."""
    spoken = HistoryItem.objects.filter(pk=OuterRef("pk")).values("record__created_at")
    last = 0
    in_order = items.order_by("pk").values_list("pk", flat=True)
    while pks := list(in_order.filter(pk__gt=last)[:_AT_ONCE]):
        batch = HistoryItem.objects.filter(pk__in=pks)
        batch.update(expires_at=Subquery(spoken) + timedelta(days=days))
        last = pks[-1]


def forget(items: models.QuerySet[HistoryItem]) -> int:
    """Take these away now, with their audio; how many there were."""
    count = 0
    while batch := list(items[:_AT_ONCE]):
        pks = [item.pk for item in batch]
        _forget_audio(HistoryItem.objects.filter(pk__in=pks))
        count += HistoryItem.objects.filter(pk__in=pks).delete()[0]
    if count:
        forget_old_pages()
    return count


def purge() -> int:
    """Take away what is due; how many there were. Raises OSError where the storage does not
    answer: nothing is forgotten by halves, and it is tried again."""
    return forget(HistoryItem.objects.filter(expires_at__lte=timezone.now()))


def _forget_audio(items: models.QuerySet[HistoryItem]) -> None:
    """A key stays until its object is gone. Raises OSError where the storage does not answer."""
    named = items.exclude(audio_key="").values_list("pk", "audio_key")
    while batch := list(named[:_AT_ONCE]):
        gone = []
        try:
            for pk, key in batch:
                default_storage.delete(key)
                gone.append(pk)
        finally:
            HistoryItem.objects.filter(pk__in=gone).update(audio_key="")


def as_request(item: HistoryItem) -> dict[str, Any]:
    """The synthesis as the body of another request to /api/speech."""
    record = item.record
    said = {
        name: record.settings.get(name)
        for name in (
            *("speed", "language", "sample_rate", "cfg_value", "inference_timesteps"),
            *("max_new_tokens", "normalize"),
        )
    }
    body = said | {
        "input": item.text,
        "voice": record.voice,
        "model": record.model,
        "response_format": record.response_format,
        "seed": record.seed,
        "instructions": item.instructions,
    }
    return {name: value for name, value in body.items() if value not in (None, "")}
