"""What an account used: sums by day, key, voice, model and member, and how fast it was heard.

Sums come from the daily rows where those know them, members and times from the records. Knows
nothing of requests or pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from statistics import median
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.models import Account, ApiKey
from speech.models import UsageDay, UsageRecord
from voices.models import Voice

SPANS = (7, 30, 90)
TOP = 20
_SAMPLE = 10_000
_SUMS = {name: Sum(name) for name in ("requests", "failed", "characters", "audio_ms")}


@dataclass(frozen=True, slots=True)
class Row:
    """What one of something used."""

    name: str
    requests: int = 0
    failed: int = 0
    characters: int = 0
    audio_ms: int = 0
    first_audio: tuple[float, float] | None = None
    """Median and 95th percentile, in ms."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A day in the chart: places are in thousandths of its height and width."""

    day: date
    characters: int
    x: float
    y: float
    width: float
    height: float


class AccountUsage:
    """The last ``days`` days of an account (UTC), today included."""

    def __init__(self, account: Account, days: int) -> None:
        self._account = account
        self.today = datetime.now(UTC).date()
        self.since = self.today - timedelta(days=days - 1)
        self._rows = UsageDay.objects.filter(account=account, day__gte=self.since)

    @property
    def records(self) -> QuerySet[UsageRecord]:
        begin = datetime.combine(self.since, time.min, UTC)
        return UsageRecord.objects.filter(account=self._account, created_at__gte=begin)

    def total(self) -> Row:
        return _row("", self._rows.aggregate(**_SUMS))

    def by_day(self) -> list[tuple[date, Row]]:
        """Every day, also those on which nobody spoke."""
        found = {row["day"]: row for row in self._rows.values("day").annotate(**_SUMS)}
        span = (self.today - self.since).days + 1
        days = [self.since + timedelta(days=ahead) for ahead in range(span)]
        heard = self._first_audio_by("day")
        return [(day, _row("", found.get(day, {}), heard.get(day))) for day in days]

    def by_key(self) -> list[Row]:
        rows = self._top("key_id")
        keys = ApiKey.objects.filter(account=self._account).in_bulk([row["key_id"] for row in rows])
        names: dict[int, str] = {pk: f"{key.name} …{key.last_four}" for pk, key in keys.items()}
        names[0] = _("people in a browser")
        gone = _("a key that is gone")
        return self._named(rows, "key_id", lambda pk: names.get(pk, gone))

    def by_voice(self) -> list[Row]:
        rows = self._top("voice")
        voices = Voice.objects.owned().filter(public_id__in=[row["voice"] for row in rows])
        names = dict(voices.visible_to(self._account).values_list("public_id", "name"))
        return self._named(rows, "voice", lambda voice: names.get(voice) or voice)

    def by_model(self) -> list[Row]:
        return self._named(self._top("model"), "model", str)

    def by_member(self) -> list[Row]:
        closed = self.records.filter(user__isnull=False, closed_at__isnull=False)
        rows = closed.values("user__username").annotate(
            requests=Count("pk"),
            failed=Count("pk", filter=Q(outcome=UsageRecord.Outcome.SERVER_FAILED)),
            characters=Sum("characters_charged"),
            audio_ms=Sum("audio_ms"),
        )
        return self._named(rows.order_by("-characters")[:TOP], "user__username", str)

    def errors(self) -> list[tuple[str, int]]:
        failed = self.records.exclude(error_code="").values_list("error_code")
        return list(failed.annotate(count=Count("pk")).order_by("-count")[:TOP])

    def first_audio(self) -> tuple[float, float] | None:
        """Of all of them together."""
        return _percentiles([one["ttfa_ms"] for one in self._heard])

    @cached_property
    def _heard(self) -> list[dict[str, Any]]:
        """The newest ten thousand times to first audio, and what each is counted under."""
        heard = self.records.filter(ttfa_ms__isnull=False).order_by("-created_at")
        fields = ("created_at", "key_id", "voice", "model", "user__username", "ttfa_ms")
        return [
            one | {"day": one["created_at"].astimezone(UTC).date(), "key_id": one["key_id"] or 0}
            for one in heard.values(*fields)[:_SAMPLE]
        ]

    def _first_audio_by(self, field: str) -> dict[Any, tuple[float, float] | None]:
        times: dict[Any, list[float]] = defaultdict(list)
        for one in self._heard:
            times[one[field]].append(one["ttfa_ms"])
        return {name: _percentiles(found) for name, found in times.items()}

    def _named(
        self, rows: Iterable[Mapping[str, Any]], field: str, name: Callable[[Any], str]
    ) -> list[Row]:
        heard = self._first_audio_by(field)
        return [_row(name(row[field]), row, heard.get(row[field])) for row in rows]

    def _top(self, field: str) -> list[dict[str, Any]]:
        sums = self._rows.values(field).annotate(**_SUMS)
        return list(sums.order_by("-characters", field)[:TOP])


def bars(days: list[tuple[date, Row]]) -> list[Bar]:
    """The chart of characters by day, 1000 wide and 300 high."""
    most = max((row.characters for _, row in days), default=0) or 1
    step = 1000 / len(days)
    made = []
    for number, (day, row) in enumerate(days):
        height = round(row.characters / most * 290, 1)
        made.append(
            Bar(
                day=day,
                characters=row.characters,
                x=round(number * step + step * 0.12, 1),
                y=round(300 - height, 1),
                width=round(step * 0.76, 1),
                height=height,
            )
        )
    return made


def _percentiles(times: list[float]) -> tuple[float, float] | None:
    """Median and 95th percentile."""
    if not times:
        return None
    times = sorted(times)
    return median(times), times[min(len(times) - 1, len(times) * 95 // 100)]


def _row(name: str, sums: Mapping[str, Any], first_audio: tuple[float, float] | None = None) -> Row:
    return Row(name, **{field: sums.get(field) or 0 for field in _SUMS}, first_audio=first_audio)
