"""The transactions behind a usage record: open, close, renew its lease, sweep what was left.

Each is one short transaction that keeps record, monthly counters and open streams in step. All
take their row locks in one order (record, account, key, key use), so they cannot deadlock. Knows
nothing of threads or of when it is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.counters import this_month
from accounts.models import Account, ApiKey, Counter, KeyUse
from speech.models import UsageRecord

_RENEWED_AT_ONCE = 500
_SWEPT_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a synthesis before the engine is asked."""

    request_id: str
    account_id: int
    user_id: int | None
    key_id: int | None
    user_agent: str
    face: str
    voice: str
    model: str
    model_used: str
    engine: str
    response_format: str
    stream_format: str
    characters: int
    ceiling_ms: int  # the most audio the engine may make of the text, in milliseconds
    text_hash: str
    settings: dict[str, Any]
    seed: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a synthesis ended. Audio is charged as delivered, but never to a server failure."""

    outcome: str
    finish_reason: str = ""
    error_code: str = ""
    characters_charged: int = 0
    audio_ms: int = 0
    bytes_sent: int = 0
    queue_ms: float | None = None
    ttfa_ms: float | None = None
    wall_ms: float | None = None
    seed: int | None = None


def open_record(entry: Entry, boot: UUID, lease: timedelta) -> int:
    """Reserve quota and a stream, write the open record and return its id.

    Raises QuotaExceeded or TooManyStreams, and then nothing was changed.
    """
    month = this_month()
    with transaction.atomic():
        account = Account.objects.only("monthly_characters", "monthly_seconds")
        account.get(pk=entry.account_id).reserve(month, entry.characters, entry.ceiling_ms)
        if entry.key_id is not None:
            key = ApiKey.objects.only(
                "first_id", "monthly_characters", "monthly_seconds", "parallel_streams"
            ).get(pk=entry.key_id)
            key.reserve(month, entry.characters, entry.ceiling_ms)
            key.use_now.take_stream(key.parallel_streams)
        record = UsageRecord.objects.create(
            request_id=entry.request_id,
            account_id=entry.account_id,
            user_id=entry.user_id,
            key_id=entry.key_id,
            user_agent=entry.user_agent[:200],
            face=entry.face,
            voice=entry.voice,
            model=entry.model,
            model_used=entry.model_used,
            engine=entry.engine,
            response_format=entry.response_format,
            stream_format=entry.stream_format,
            settings=entry.settings,
            seed=entry.seed,
            characters=entry.characters,
            text_hash=entry.text_hash,
            month=month,
            reserved_characters=entry.characters,
            reserved_ms=entry.ceiling_ms,
            boot=boot,
            lease_until=Now() + lease,
        )
    return record.pk


def close_record(record_id: int, outcome: Outcome) -> bool:
    """Write the outcome, charge it and free the rest; False when it was closed already."""
    return _close(UsageRecord.objects.filter(pk=record_id), outcome)


def renew_leases(record_ids: Iterable[int], lease: timedelta) -> None:
    """Keep these records from being swept, where they are still open."""
    ids = list(record_ids)
    for start in range(0, len(ids), _RENEWED_AT_ONCE):
        UsageRecord.objects.filter(
            pk__in=ids[start : start + _RENEWED_AT_ONCE], lease_until__isnull=False
        ).update(lease_until=Now() + lease)


def sweep() -> int:
    """Close what dead processes left open, free of charge. Returns how many were closed."""
    expired = UsageRecord.objects.filter(lease_until__lt=Now())
    ids = list(expired.order_by("lease_until").values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    abandoned = Outcome(UsageRecord.Outcome.SERVER_FAILED, error_code="server_died")
    return sum(_close(expired.filter(pk=record_id), abandoned) for record_id in ids)


def _close(record: QuerySet[UsageRecord], outcome: Outcome) -> bool:
    """``record`` selects one record, or none when it was closed or its lease was renewed."""
    charges = outcome.outcome != UsageRecord.Outcome.SERVER_FAILED
    rtf = outcome.wall_ms / outcome.audio_ms if outcome.wall_ms and outcome.audio_ms else None
    with transaction.atomic():
        locked = record.filter(outcome=UsageRecord.Outcome.OPEN).select_for_update(of=("self",))
        opened = locked.values_list(
            "pk",
            "account_id",
            "key_id",
            "key__first_id",
            "month",
            "reserved_characters",
            "reserved_ms",
        ).first()
        if opened is None:
            return False
        record_id, account_id, key_id, first_id, month, characters, ms = opened
        charged = min(outcome.characters_charged, characters) if charges else 0
        ms_charged = min(outcome.audio_ms, ms) if charges else 0
        UsageRecord.objects.filter(pk=record_id).update(
            outcome=outcome.outcome,
            finish_reason=outcome.finish_reason,
            error_code=outcome.error_code,
            characters_charged=charged,
            ms_charged=ms_charged,
            audio_ms=outcome.audio_ms,
            bytes_sent=outcome.bytes_sent,
            queue_ms=outcome.queue_ms,
            ttfa_ms=outcome.ttfa_ms,
            wall_ms=outcome.wall_ms,
            rtf=rtf,
            lease_until=None,
            closed_at=Now(),
            **({} if outcome.seed is None else {"seed": outcome.seed}),
        )
        counters = Counter.objects.filter(month=month)
        counters.filter(account_id=account_id).settle((characters, ms), (charged, ms_charged))
        if key_id is not None:
            meter = first_id or key_id
            counters.filter(key_id=meter).settle((characters, ms), (charged, ms_charged))
            KeyUse.objects.filter(key_id=meter).release_stream()
    return True
