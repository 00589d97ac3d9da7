"""This month's use beside its limit, as a number and a bar. Knows counters, not what they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.counters import Counter, Metered, this_month

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


def with_use(metered: QuerySet[Metered], **counted_as: str) -> QuerySet[Metered]:
    """Annotate ``characters_now`` and ``ms_now``; ``counted_as`` says which counter is whose."""
    whose = {name: OuterRef(reference) for name, reference in counted_as.items()}
    counter = Counter.objects.filter(month=this_month(), **whose)
    return metered.annotate(
        characters_now=Coalesce(
            Subquery(counter.values(now=F("characters_used") + F("characters_reserved"))), 0
        ),
        ms_now=Coalesce(Subquery(counter.values(now=F("ms_used") + F("ms_reserved"))), 0),
    )


def bar(used: int, limit: int | None, unit: StrPromise | str) -> SafeString:
    """``used`` of ``limit``; without a limit there is nothing to fill."""
    percent = None if limit is None else min(100, round(used * 100 / limit)) if limit else 100
    return render_to_string(
        "admin/accounts/use.html",
        {"used": used, "limit": limit, "unit": unit, "percent": percent},
    )
