"""Sums for the admin's index and charts, from the daily rows; never from the records themselves.

Knows nothing of requests or templates. Every function is one query, or two for a chart by key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Sum
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import ApiKey
from speech.models import UsageDay, UsageRecord

TOP = 10
_SAMPLE = 1000
_SUMS = {
    "requests": Sum("requests"),
    "failed": Sum("failed"),
    "characters": Sum("characters"),
    "audio_ms": Sum("audio_ms"),
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What was spoken in some time: requests that were closed, and of what they consisted."""

    requests: int = 0
    failed: int = 0
    characters: int = 0
    audio_ms: int = 0

    @property
    def audio_minutes(self) -> float:
        return self.audio_ms / 60_000


def today() -> date:
    """The running day, in UTC."""
    return datetime.now(UTC).date()


def by_day(days: int) -> dict[date, Totals]:
    """The last ``days`` days with today as the last one, also those on which nobody spoke."""
    since = today() - timedelta(days=days - 1)
    rows = UsageDay.objects.filter(day__gte=since).values("day").annotate(**_SUMS).order_by("day")
    found = {row["day"]: _totals(row) for row in rows}
    spanned = (since + timedelta(days=ahead) for ahead in range(days))
    return {day: found.get(day, Totals()) for day in spanned}


def top(field: str, days: int) -> dict[str, Totals]:
    """The ``TOP`` voices, models or keys by characters, largest first."""
    rows = list(
        UsageDay.objects.filter(day__gte=today() - timedelta(days=days - 1))
        .values(field)
        .annotate(**_SUMS)
        .order_by("-characters", field)[:TOP]
    )
    found = {row[field]: _totals(row) for row in rows}
    return _named(found) if field == "key_id" else found


def _totals(row: Mapping[str, Any]) -> Totals:
    return Totals(**{name: row[name] for name in _SUMS})


def _named(found: dict[Any, Totals]) -> dict[str, Totals]:
    keys = ApiKey.objects.in_bulk(list(found))
    names = {0: _("no key"), **{pk: f"{key.name} …{key.last_four}" for pk, key in keys.items()}}
    return {
        names.get(pk, _("key %(pk)s, gone") % {"pk": pk}): totals for pk, totals in found.items()
    }


def first_audio() -> tuple[float, float] | None:
    """Median and 95th percentile of the newest thousand times to first audio of today, in ms."""
    midnight = datetime.combine(today(), datetime.min.time(), UTC)
    newest = UsageRecord.objects.filter(created_at__gte=midnight).order_by("-created_at")
    sample = newest.values_list("ttfa_ms", flat=True)[:_SAMPLE]
    times = sorted(ms for ms in sample if ms is not None)
    if not times:
        return None
    return median(times), times[min(len(times) - 1, len(times) * 95 // 100)]


def in_words(days: Iterable[date]) -> list[str]:
    """Days for the axis of a chart."""
    # Translators: day and month, short, as in https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date
    return [date_format(day, _("j M")) for day in days]


def chart(labels: list[str], series: dict[str, list[int]]) -> str:
    """The data of a bar chart as Chart.js wants it, with unfold's switch for the y axis."""
    colors = ("var(--color-primary-600)", "#dc5a5a")
    bars = {"borderRadius": 3, "maxBarThickness": 28, "displayYAxis": True}
    datasets = [
        {"label": label, "data": values, "backgroundColor": color, **bars}
        for (label, values), color in zip(series.items(), colors, strict=False)
    ]
    return json.dumps({"labels": labels, "datasets": datasets})
