"""What the account used, against what it may use; as a page and as CSV."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.counters import Metered
from portal.usage import SPANS, AccountUsage, bars
from portal.views.pages import PersonRequest, page
from speech.admin.export import csv_response


def _span(request: PersonRequest) -> int:
    """The days that were asked for, if they are among those one may ask for."""
    asked = request.GET.get("days", "")
    return next((days for days in SPANS if str(days) == asked), SPANS[1])


@page()
def show(request: PersonRequest) -> HttpResponse:
    usage = AccountUsage(request.account, _span(request))
    days = usage.by_day()
    context = {
        "total": usage.total(),
        "days": list(reversed(days)),
        "bars": bars(days),
        "spans": SPANS,
        "span": _span(request),
        "first_audio": usage.first_audio(),
        "errors": usage.errors(),
        "limits": _limits(request.account),
        "tables": [
            (_("By key"), usage.by_key()),
            (_("By voice"), usage.by_voice()),
            (_("By model"), usage.by_model()),
            (_("By member"), usage.by_member()),
        ],
    }
    return render(request, "portal/usage/show.html", context)


def _limits(account: Metered) -> list[dict[str, object]]:
    """This month's use and limit, of characters and of audio."""
    counter = account.counter()
    return [
        _limit(_("Characters this month"), counter.characters_used, account.monthly_characters),
        _limit(_("Seconds of audio this month"), counter.ms_used // 1000, account.monthly_seconds),
    ]


def _limit(title: str, used: int, limit: int | None) -> dict[str, object]:
    is_full = limit is not None and used >= limit
    return {"title": title, "used": used, "limit": limit, "is_full": is_full}


@page()
def export(request: PersonRequest) -> HttpResponseBase:
    """Every record of the span, without any text."""
    return csv_response(AccountUsage(request.account, _span(request)).records)
