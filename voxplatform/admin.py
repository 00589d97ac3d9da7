"""The admin's first page: the engine, today's traffic and the last two weeks.

Unfold calls ``dashboard`` for the context of ``templates/admin/index.html``.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from speech.admin import traffic
from speech.engine_words import STATES
from speech.runtime import runtime

DAYS = 14
admin.site.index_title = gettext_lazy("Overview")
# One login for all pages, with its second factor and its limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Two queries, whatever was recorded. Numbers only for who may read the usage log."""
    stats = runtime.stats()
    context |= {
        "info": runtime.known_info(),
        "stats": stats,
        "state": STATES[stats.state],
        "notice": runtime.notice,
        "may_see_usage": request.user.has_perm("speech.view_usagerecord"),
    }
    if context["may_see_usage"]:
        days = traffic.by_day(DAYS)
        context |= {
            "today": days[traffic.today()],
            "first_audio": traffic.first_audio(),
            "chart": traffic.chart(
                traffic.in_words(days),
                {
                    _("requests"): [totals.requests for totals in days.values()],
                    _("failed"): [totals.failed for totals in days.values()],
                },
            ),
        }
    return context
