"""Reserving a part of the month and a stream, and settling them: the hot path of every synthesis.

Written in SQL, because composing the same statements through the ORM costs six times as much CPU.
The limits are read first and the conditional UPDATEs decide. Must be called in a transaction, and
locks rows in one order (account, key, use). Knows nothing of what is reserved for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db import connection

from accounts.exceptions import QuotaExceeded, TooManyStreams
from accounts.models import Counter

_NO_LIMIT = 2**62

_LIMITS = """
SELECT account.monthly_characters, account.monthly_seconds,
       apikey.monthly_characters, apikey.monthly_seconds, apikey.parallel_streams,
       COALESCE(apikey.first_id, apikey.id)
FROM accounts_account account LEFT JOIN accounts_apikey apikey ON apikey.id = %s
WHERE account.id = %s
"""
_RESERVE = """
UPDATE accounts_counter
SET characters_reserved = characters_reserved + %s, ms_reserved = ms_reserved + %s
WHERE {owner}_id = %s AND month = %s
  AND characters_used + characters_reserved + %s <= %s AND ms_used + ms_reserved + %s <= %s
"""
_SETTLE = """
UPDATE accounts_counter
SET characters_reserved = characters_reserved - %s, characters_used = characters_used + %s,
    ms_reserved = ms_reserved - %s, ms_used = ms_used + %s
WHERE {owner}_id = %s AND month = %s
"""
_KEY = {"use": "accounts_keyuse", "owner": "key_id"}
_PERSON = {"use": "accounts_personuse", "owner": "user_id"}
_TAKE_STREAM = """
INSERT INTO {use} AS use ({owner}, minute, requests, open_streams)
VALUES (%s, 0, 0, 1)
ON CONFLICT ({owner}) DO UPDATE SET open_streams = use.open_streams + 1
WHERE use.open_streams < %s
"""
# What was open before people were counted took nothing.
_RELEASE_STREAM = """
UPDATE {use} SET open_streams = open_streams - 1
WHERE {owner} = %s AND open_streams > 0
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """So much of a month, and one stream of the key, or of the person who speaks without one.
    ``meter_id`` counts for the key."""

    account_id: int
    meter_id: int | None
    person_id: int | None
    month: str
    characters: int
    ms: int

    @classmethod
    def take(
        cls,
        account_id: int,
        key_id: int | None,
        person_id: int | None,
        month: str,
        characters: int,
        ms: int,
    ) -> Reservation:
        """Reserve, or raise QuotaExceeded or TooManyStreams; the caller then rolls back."""
        with connection.cursor() as cursor:
            cursor.execute(_LIMITS, [key_id, account_id])
            *limits, streams, meter_id = cursor.fetchone()
        reservation = cls(account_id, meter_id, person_id, month, characters, ms)
        reservation._reserve("account", account_id, *limits[:2])
        if meter_id is not None:
            reservation._reserve("key", meter_id, *limits[2:])
            if not _execute(_TAKE_STREAM.format(**_KEY), [meter_id, _most(streams)]):
                raise TooManyStreams()
        elif person_id is not None:
            most = _most(settings.PERSON_STREAMS or None)
            if not _execute(_TAKE_STREAM.format(**_PERSON), [person_id, most]):
                raise TooManyStreams("Too many parallel streams for one person.")
        return reservation

    def settle(self, characters: int, ms: int) -> None:
        """Book what was charged, at most what was reserved, and free the rest and the stream."""
        amounts: list[int | str] = [self.characters, characters, self.ms, ms]
        _execute(_SETTLE.format(owner="account"), [*amounts, self.account_id, self.month])
        if self.meter_id is not None:
            _execute(_SETTLE.format(owner="key"), [*amounts, self.meter_id, self.month])
            _execute(_RELEASE_STREAM.format(**_KEY), [self.meter_id])
        elif self.person_id is not None:
            _execute(_RELEASE_STREAM.format(**_PERSON), [self.person_id])

    def _reserve(
        self,
        owner: Literal["account", "key"],
        owner_id: int,
        limit_characters: int | None,
        limit_seconds: int | None,
    ) -> None:
        most_characters = _most(limit_characters)
        most_ms = _NO_LIMIT if limit_seconds is None else limit_seconds * 1000
        added = (self.characters, self.ms)
        room = (self.characters, most_characters, self.ms, most_ms)
        values: list[int | str] = [*added, owner_id, self.month, *room]
        statement = _RESERVE.format(owner=owner)
        if _execute(statement, values):
            return
        # Refused, or the first of its month.
        counter = Counter(**{f"{owner}_id": owner_id}, month=self.month)
        Counter.objects.bulk_create([counter], ignore_conflicts=True)
        if not _execute(statement, values):
            raise QuotaExceeded()


def _most(limit: int | None) -> int:
    return _NO_LIMIT if limit is None else limit


def _execute(statement: str, values: list[int | str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
