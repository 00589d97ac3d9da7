"""Counters that limit: characters and audio per month, requests per minute, streams at once.

Every change is one conditional UPDATE whose condition stands on the counted row itself. A read
before the write, or a limit looked up in a subquery, lets parallel requests overshoot on
PostgreSQL. Knows nothing of what is counted or of HTTP.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest

from accounts.exceptions import QuotaExceeded, TooManyStreams


def this_month() -> str:
    """The month that is being counted, in UTC: ``"2026-11"``."""
    return datetime.now(UTC).strftime("%Y-%m")


class CounterQuerySet(models.QuerySet["Counter"]):
    def with_room(
        self, characters: int, ms: int, limit_characters: int | None, limit_ms: int | None
    ) -> Self:
        """Those that can take so much more and stay within the limits. ``None`` is no limit."""
        room = Q()
        if limit_characters is not None:
            room &= Q(characters_used__lte=limit_characters - characters - F("characters_reserved"))
        if limit_ms is not None:
            room &= Q(ms_used__lte=limit_ms - ms - F("ms_reserved"))
        return self.filter(room)

    def reserve(self, characters: int, ms: int) -> int:
        return self.update(
            characters_reserved=F("characters_reserved") + characters,
            ms_reserved=F("ms_reserved") + ms,
        )

    def settle(self, reserved: tuple[int, int], charged: tuple[int, int]) -> int:
        """Give a reservation (characters, milliseconds) back and book what was charged of it."""
        return self.update(
            characters_reserved=F("characters_reserved") - reserved[0],
            characters_used=F("characters_used") + charged[0],
            ms_reserved=F("ms_reserved") - reserved[1],
            ms_used=F("ms_used") + charged[1],
        )


class Counter(models.Model):
    """What one account, or one key, has used and reserved in one month."""

    account = models.ForeignKey("Account", models.CASCADE, null=True, related_name="counters")
    key = models.ForeignKey("ApiKey", models.CASCADE, null=True, related_name="counters")
    month = models.CharField(max_length=7)
    characters_used = models.PositiveBigIntegerField(default=0)
    characters_reserved = models.PositiveBigIntegerField(default=0)
    ms_used = models.PositiveBigIntegerField("audio used, ms", default=0)
    ms_reserved = models.PositiveBigIntegerField("audio reserved, ms", default=0)

    objects = CounterQuerySet.as_manager()

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

    def counter(self, month: str) -> CounterQuerySet:
        return Counter.objects.filter(**self._counted_as(), month=month)

    def has_room(self, characters: int, ms: int) -> bool:
        """Read-only; another request may still be faster. ``reserve`` decides."""
        if self.monthly_characters is None and self.monthly_seconds is None:
            return True
        if not self._fits(characters, ms):
            return False
        counter = self.counter(this_month())
        return self._with_room(counter, characters, ms).exists() or not counter.exists()

    def reserve(self, month: str, characters: int, ms: int) -> None:
        """Set so much of the month aside, or raise QuotaExceeded. To be called in a transaction."""
        counter = self.counter(month)
        if self._with_room(counter, characters, ms).reserve(characters, ms):
            return
        Counter.objects.bulk_create(
            [Counter(**self._counted_as(), month=month)], ignore_conflicts=True
        )
        if not self._with_room(counter, characters, ms).reserve(characters, ms):
            raise QuotaExceeded()

    def _fits(self, characters: int, ms: int) -> bool:
        """Whether it would fit into a month in which nothing was used yet."""
        return (self.monthly_characters is None or characters <= self.monthly_characters) and (
            self.monthly_seconds is None or ms <= self.monthly_seconds * 1000
        )

    def _with_room(self, counter: CounterQuerySet, characters: int, ms: int) -> CounterQuerySet:
        limit_ms = None if self.monthly_seconds is None else self.monthly_seconds * 1000
        return counter.with_room(characters, ms, self.monthly_characters, limit_ms)


class KeyUseQuerySet(models.QuerySet["KeyUse"]):
    def count_request(self, minute: int, limit: int) -> bool:
        """Count one request in this minute; False when the minute is full.

        A server whose clock runs behind counts in the minute another one has already begun.
        """
        return bool(
            self.filter(Q(minute__lt=minute) | Q(requests__lt=limit)).update(
                requests=Case(When(minute__lt=minute, then=Value(1)), default=F("requests") + 1),
                minute=Greatest(F("minute"), Value(minute)),
            )
        )

    def take_stream(self, limit: int | None) -> None:
        free = self if limit is None else self.filter(open_streams__lt=limit)
        if not free.update(open_streams=F("open_streams") + 1):
            raise TooManyStreams()

    def release_stream(self) -> None:
        self.update(open_streams=F("open_streams") - 1)


class KeyUse(models.Model):
    """What a key is doing right now: its requests in the running minute, its open streams."""

    key = models.OneToOneField("ApiKey", models.CASCADE, primary_key=True, related_name="use")
    minute = models.BigIntegerField(default=0, help_text="Minutes since 1970.")
    requests = models.PositiveIntegerField(default=0)
    open_streams = models.PositiveIntegerField(default=0)

    objects = KeyUseQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "key use"

    def __str__(self) -> str:
        return f"{self.open_streams} open streams"
