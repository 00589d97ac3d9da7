"""Years, months and days of the usage log to choose from, at the cost of two index look-ups.

Django's own date hierarchy looks at every row to leave out empty days.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from speech.models import UsageRecord

FIELD = "created_at"
register = template.Library()


@dataclass(frozen=True, slots=True)
class Period:
    """A year, a month or a day, as far as it is given."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def title(self) -> str:
        if self.year is None:
            return _("All dates")
        if self.month is None:
            return str(self.year)
        if self.day is None:
            return date_format(date(self.year, self.month, 1), "YEAR_MONTH_FORMAT")
        return date_format(date(self.year, self.month, self.day), "MONTH_DAY_FORMAT")

    @property
    def lookups(self) -> dict[str, int | None]:
        return {f"{FIELD}__{part}": getattr(self, part) for part in ("year", "month", "day")}

    @property
    def wider(self) -> Period | None:
        if self.year is None:
            return None
        if self.month is None:
            return Period()
        return Period(self.year) if self.day is None else Period(self.year, self.month)

    def within(self, first: date, last: date) -> list[Period]:
        """What it is made of, as far as it lies between ``first`` and ``last``."""
        if self.year is None:
            return [Period(year) for year in range(first.year, last.year + 1)]
        if self.month is None:
            months = [(self.year, month) for month in range(1, 13)]
            begin, end = (first.year, first.month), (last.year, last.month)
            return [Period(*month) for month in months if begin <= month <= end]
        if self.day is None:
            days = range(1, monthrange(self.year, self.month)[1] + 1)
            dates = [date(self.year, self.month, day) for day in days]
            return [Period(d.year, d.month, d.day) for d in dates if first <= d <= last]
        return []


def chosen(params: Any) -> Period:
    """The period in a query string; what is no date is no period."""
    period = Period()
    for part, most in (("year", 9999), ("month", 12), ("day", 31)):
        value = str(params.get(f"{FIELD}__{part}", ""))
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:5]) <= most):
            break
        period = Period(**{**_parts(period), part: int(value)})
    if period.day and period.day > monthrange(period.year or 1, period.month or 1)[1]:
        return Period(period.year, period.month)
    return period


def _parts(period: Period) -> dict[str, int | None]:
    return {"year": period.year, "month": period.month, "day": period.day}


def recorded() -> tuple[date, date] | None:
    """The dates of the first and the last record."""
    dates = UsageRecord.objects.order_by(FIELD).values_list(FIELD, flat=True)
    first, last = dates.first(), dates.last()
    return (first.date(), last.date()) if first and last else None


def _choices(period: Period, first: date, last: date) -> list[Period]:
    """One year or month to choose is no choice: then what it is made of."""
    parts = period.within(first, last)
    if len(parts) == 1 and parts[0].day is None:
        return _choices(parts[0], first, last)
    return parts


@register.inclusion_tag("admin/date_hierarchy.html")
def usage_calendar(cl: Any) -> dict[str, Any]:
    """Links to the parts of the chosen period, and one back to the wider one."""
    span = recorded()
    period = chosen(cl.params)
    back = period.wider
    parts = _choices(period, *span) if span else []

    def entry(target: Period) -> dict[str, str]:
        return {"title": target.title, "link": cl.get_query_string(target.lookups)}

    return {
        "show": span is not None,
        "back": entry(back) if back else None,
        "choices": [entry(part) for part in parts],
    }
