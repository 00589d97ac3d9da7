"""What has been counted: characters and audio per month, requests per minute, streams at once.

Every change is one statement whose condition stands on the counted row itself: a read
before the write, or a subquery over the same table, lets parallel requests overshoot on
PostgreSQL. The changes of the monthly counters stand in ``accounts/reservations.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Q

_COUNT_REQUEST = """
INSERT INTO {use} AS use ({owner}, minute, requests, open_streams)
VALUES (%(owner)s, %(minute)s, 1, 0)
ON CONFLICT ({owner}) DO UPDATE
SET requests = CASE WHEN use.minute < excluded.minute THEN 1 ELSE use.requests + 1 END,
    minute = CASE WHEN use.minute < excluded.minute THEN excluded.minute ELSE use.minute END
WHERE use.minute < excluded.minute OR use.requests < %(limit)s
RETURNING requests
"""


def this_month() -> str:
    """The month that is being counted, in UTC: ``"2026-11"``."""
    return datetime.now(UTC).strftime("%Y-%m")


class Counter(models.Model):
    """What one account, or one key, has used and reserved in one month."""

    account = models.ForeignKey("Account", models.CASCADE, null=True, related_name="counters")
    key = models.ForeignKey("ApiKey", models.CASCADE, null=True, related_name="counters")
    month = models.CharField(max_length=7)
    characters_used = models.PositiveBigIntegerField(default=0)
    characters_reserved = models.PositiveBigIntegerField(default=0)
    ms_used = models.PositiveBigIntegerField("audio used, ms", default=0)
    ms_reserved = models.PositiveBigIntegerField("audio reserved, ms", default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "month"], name="one_counter_per_account"),
            models.UniqueConstraint(fields=["key", "month"], name="one_counter_per_key"),
            models.CheckConstraint(
                condition=Q(account__isnull=True, key__isnull=False)
                | Q(account__isnull=False, key__isnull=True),
                name="counter_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month}: {self.characters_used} characters"


class Metered(models.Model):
    """An account or a key: something with monthly limits and a counter for each month."""

    monthly_characters = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Characters per month (UTC). Empty: no limit."
    )
    monthly_seconds = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Audio seconds per month (UTC). Empty: no limit."
    )

    class Meta:
        abstract = True

    def _counted_as(self) -> dict[str, Any]:
        """Which counter rows are this one's."""
        raise NotImplementedError

    def counter(self, month: str | None = None) -> Counter:
        """The counter of a month, by default of this one; one at zero when nothing was used."""
        owner = self._counted_as()
        month = month or this_month()
        counter = Counter.objects.filter(**owner, month=month).first()
        return counter or Counter(**owner, month=month)

    def has_room(self, characters: int, ms: int) -> bool:
        """Whether this month's limits could take so much more now. Read-only."""
        if self.monthly_characters is None and self.monthly_seconds is None:
            return True
        counter = self.counter()
        characters += counter.characters_used + counter.characters_reserved
        ms += counter.ms_used + counter.ms_reserved
        return (self.monthly_characters is None or characters <= self.monthly_characters) and (
            self.monthly_seconds is None or ms <= self.monthly_seconds * 1000
        )


class Use(models.Model):
    """What somebody is doing right now: requests in the running minute, open streams."""

    minute = models.BigIntegerField(default=0, help_text="Minutes since 1970.")
    requests = models.PositiveIntegerField(default=0)
    open_streams = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.open_streams} open streams"

    @classmethod
    def count_request(cls, owner_id: int, minute: int, limit: int) -> int | None:
        """Count one request in this minute; how many it has now, or None when it is full.

        A server whose clock runs behind counts in the minute another one has already begun.
        """
        statement = _COUNT_REQUEST.format(use=cls._meta.db_table, owner=cls._meta.pk.column)
        with connection.cursor() as cursor:
            cursor.execute(statement, {"owner": owner_id, "minute": minute, "limit": limit})
            row = cursor.fetchone()
        return None if row is None else int(row[0])


class KeyUse(Use):
    """Of a line of rotated keys."""

    key = models.OneToOneField("ApiKey", models.CASCADE, primary_key=True, related_name="use")

    class Meta:
        verbose_name_plural = "key use"


class PersonUse(Use):
    """Of a person at their browsers, where no key counts for them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="use"
    )

    class Meta:
        verbose_name_plural = "person use"
