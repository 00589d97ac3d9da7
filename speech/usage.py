"""The transactions behind a usage record: open, close, renew its lease, sweep what was left.

Each is one short transaction that keeps record, monthly counters, open streams and the charts'
daily sums in step. The hot ones are SQL, for the reason ``accounts/reservations.py`` gives. Leases
run on the database's clock, so that servers need not agree on theirs. Knows nothing of threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from accounts.counters import this_month
from accounts.models import Membership
from accounts.reservations import Reservation
from speech.history import HistoryItem, Keep
from speech.job_models import Unwanted
from speech.models import UsageRecord
from speech.requests import BY_HAND
from voices.models import Voice, VoiceConsent

_AT_ONCE = 500

_NOW = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
    "postgresql": "STATEMENT_TIMESTAMP()",
}
_LEASE_END = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %(lease)s)",
    "postgresql": "STATEMENT_TIMESTAMP() + %(lease)s::interval",
}
# Who had a long text begun may be erased while it is spoken: it goes on as nobody's.
_OPEN = """
INSERT INTO speech_usagerecord (
    request_id, account_id, user_id, key_id, user_agent, face, voice, model, model_used, engine,
    response_format, stream_format, settings, seed, characters, text_hash,
    month, reserved_characters, reserved_ms, boot, created_at, lease_until,
    outcome, finish_reason, error_code, audio_ms, bytes_sent, characters_charged, ms_charged)
VALUES (
    %(request_id)s, %(account_id)s, (SELECT id FROM auth_user WHERE id = %(user_id)s), %(key_id)s,
    %(user_agent)s, %(face)s, %(voice)s, %(model)s, %(model_used)s, %(engine)s,
    %(response_format)s, %(stream_format)s, %(settings)s, %(seed)s, %(characters)s,
    %(text_hash)s,
    %(month)s, %(characters)s, %(ceiling_ms)s, %(boot)s, {now}, {lease_end},
    'open', '', '', 0, 0, 0, 0)
RETURNING id
"""
_RESERVED = """
SELECT record.account_id, COALESCE(apikey.first_id, apikey.id),
       CASE WHEN record.key_id IS NULL AND record.face IN (%s, %s) THEN record.user_id END,
       record.month, record.reserved_characters, record.reserved_ms
FROM speech_usagerecord record LEFT JOIN accounts_apikey apikey ON apikey.id = record.key_id
WHERE record.id = %s AND record.outcome = 'open'
"""
_CLOSE = """
UPDATE speech_usagerecord
SET outcome = %(outcome)s, finish_reason = %(finish_reason)s, error_code = %(error_code)s,
    audio_ms = %(audio_ms)s, bytes_sent = %(bytes_sent)s, queue_ms = %(queue_ms)s,
    ttfa_ms = %(ttfa_ms)s, wall_ms = %(wall_ms)s, rtf = %(rtf)s, seed = COALESCE(%(seed)s, seed),
    characters_charged = %(characters)s, ms_charged = %(ms)s, closed_at = {now}, lease_until = NULL
WHERE id = %(record_id)s AND outcome = 'open'
"""
_ONLY_EXPIRED = " AND lease_until < {now}"
_ADD_TO_DAY = """
INSERT INTO speech_usageday
    (day, account_id, key_id, voice, model, requests, failed, characters, audio_ms)
SELECT DATE(created_at), account_id, COALESCE(key_id, 0), voice, model,
       1, CASE WHEN outcome = 'server_failed' THEN 1 ELSE 0 END, characters_charged, audio_ms
FROM speech_usagerecord WHERE id = %s
ON CONFLICT (day, account_id, key_id, voice, model) DO UPDATE
SET requests = speech_usageday.requests + excluded.requests,
    failed = speech_usageday.failed + excluded.failed,
    characters = speech_usageday.characters + excluded.characters,
    audio_ms = speech_usageday.audio_ms + excluded.audio_ms
"""


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
    keep: Keep | None = None  # for the history of a person
    is_noted: bool = False  # whether there is no voice that would note its use now

    @property
    def person_id(self) -> int | None:
        """Who sits there, and whose streams are counted where no key's are."""
        return self.user_id if self.key_id is None and self.face in BY_HAND else None


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


def open_record(entry: Entry, boot: str, lease: timedelta) -> int:
    """Reserve quota and a stream, write the open record and return its id.

    Raises QuotaExceeded or TooManyStreams, and then nothing was changed.
    """
    vendor, month = connection.vendor, this_month()
    values = asdict(entry) | {
        "user_agent": entry.user_agent[:200],
        "settings": json.dumps(entry.settings),
        "month": month,
        "boot": boot,
        "lease": f"{lease.total_seconds()} seconds",
    }
    with transaction.atomic(), connection.cursor() as cursor:
        amount = (entry.characters, entry.ceiling_ms)
        Reservation.take(entry.account_id, entry.key_id, entry.person_id, month, *amount)
        if not entry.is_noted:
            Voice.objects.note_use(entry.voice)
        cursor.execute(_OPEN.format(now=_NOW[vendor], lease_end=_LEASE_END[vendor]), values)
        record_id = int(cursor.fetchone()[0])
        if entry.keep:
            HistoryItem.add(record_id, entry.keep)
    return record_id


def close_record(
    record_id: int,
    outcome: Outcome,
    *,
    only_expired: bool = False,
    beside: Callable[[], None] | None = None,
) -> bool:
    """Write the outcome, charge it and free the rest; False when it was closed already.

    With ``beside`` all of it happens together with what that writes, or, when that raises Unwanted
    or the record was closed already, the record is closed free of charge and Unwanted raised.
    """
    try:
        with transaction.atomic():
            is_closed = _close(record_id, outcome, only_expired)
            if beside is not None:
                if not is_closed:
                    raise Unwanted
                beside()
            return is_closed
    except Unwanted:
        free = replace(outcome, outcome=UsageRecord.Outcome.CANCELLED, characters_charged=0)
        close_record(record_id, replace(free, audio_ms=0, error_code="unwanted"))
        raise


def _close(record_id: int, outcome: Outcome, only_expired: bool) -> bool:
    statement = _CLOSE + (_ONLY_EXPIRED if only_expired else "")
    with connection.cursor() as cursor:
        cursor.execute(_RESERVED, [*BY_HAND, record_id])
        row = cursor.fetchone()
        if row is None:
            return False
        reservation = Reservation(*row)
        characters, ms = _charged(outcome, reservation)
        values = asdict(outcome) | {
            "rtf": outcome.wall_ms / outcome.audio_ms
            if outcome.wall_ms and outcome.audio_ms
            else None,
            "characters": characters,
            "ms": ms,
            "record_id": record_id,
        }
        cursor.execute(statement.format(now=_NOW[connection.vendor]), values)
        if not cursor.rowcount:
            return False
        reservation.settle(characters, ms)
        cursor.execute(_ADD_TO_DAY, [record_id])
    return True


def _charged(outcome: Outcome, reservation: Reservation) -> tuple[int, int]:
    """Characters and milliseconds: never more than was reserved, nothing for our own failure."""
    if outcome.outcome == UsageRecord.Outcome.SERVER_FAILED:
        return 0, 0
    return (
        min(outcome.characters_charged, reservation.characters),
        min(outcome.audio_ms, reservation.ms),
    )


def renew_leases(record_ids: Iterable[int], lease: timedelta) -> None:
    """Keep these records from being swept, where they are still open."""
    for ids in _batches(record_ids):
        open_records = UsageRecord.objects.filter(pk__in=ids, lease_until__isnull=False)
        open_records.update(lease_until=Now() + lease)


def revoked_among(record_ids: Iterable[int]) -> list[int]:
    """Those whose key was revoked, or whose account was switched off, since they were opened."""
    refused = (
        Q(key__revoked_at__isnull=False)
        | Q(account__is_active=False)
        | Q(account__personal_of__is_active=False)
    )
    return _among(record_ids, refused)


def left_among(record_ids: Iterable[int]) -> list[int]:
    """Those of somebody without a key who may not act for the account any more since they were
    opened: taken out of it, switched off, or erased."""
    here = {"user": OuterRef("user"), "account": OuterRef("account")}
    still = Membership.objects.filter(**here, user__is_active=True)
    return _among(record_ids, Q(~Exists(still), key=None, face__in=BY_HAND))


def silenced_among(record_ids: Iterable[int]) -> list[int]:
    """Those whose voice was disabled or erased, or whose consent was withdrawn or has expired,
    since they were opened. A recording that came with its request goes by the id of its consent."""
    silenced = Voice.objects.silenced().values("public_id")
    ended = VoiceConsent.objects.ended().values("public_id")
    return _among(record_ids, Q(voice__in=silenced) | Q(voice__startswith="cons_", voice__in=ended))


def _among(record_ids: Iterable[int], condition: Q) -> list[int]:
    return [
        record_id
        for ids in _batches(record_ids)
        for record_id in UsageRecord.objects.filter(condition, pk__in=ids).values_list(
            "pk", flat=True
        )
    ]


def sweep() -> int:
    """Close what dead processes left open, free of charge. Returns how many were closed."""
    expired = UsageRecord.objects.filter(lease_until__lt=Now())
    ids = list(expired.order_by("lease_until").values_list("pk", flat=True)[:_AT_ONCE])
    abandoned = Outcome(UsageRecord.Outcome.SERVER_FAILED, error_code="server_died")
    return sum(close_record(record_id, abandoned, only_expired=True) for record_id in ids)


def _batches(record_ids: Iterable[int]) -> Iterator[list[int]]:
    """A statement takes only so many parameters."""
    ids = list(record_ids)
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
