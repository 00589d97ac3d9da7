"""The usage log: read-only, searched and filtered through indexes, with charts and CSV.

Nothing here counts all rows: a million of them must not slow the page down.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import paginator
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
)
from unfold.decorators import display

from accounts.admin.base import ModelAdmin
from speech.admin import traffic
from speech.admin.export import csv_response
from speech.engine.registry import ENGINES
from speech.models import SpeechModel, UsageRecord

PERIODS = (7, 30, 90)
CHARTS = {
    "key_id": gettext_lazy("Characters by key"),
    "voice": gettext_lazy("Characters by voice"),
    "model": gettext_lazy("Characters by model"),
}
_HASH_LENGTH = 64


class EngineFilter(DropdownFilter):  # type: ignore[misc]
    title = gettext_lazy("engine")
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ENGINES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(engine=self.value()) if self.value() else queryset


class ModelFilter(DropdownFilter):  # type: ignore[misc]
    title = gettext_lazy("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = SpeechModel.objects.values_list("name", flat=True)
        return [(name, name) for name in [*names, *ENGINES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model=self.value()) if self.value() else queryset


class FaceFilter(DropdownFilter):  # type: ignore[misc]
    title = gettext_lazy("face")
    parameter_name = "face"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ("openai", "native", "mcp", "say")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(face=self.value()) if self.value() else queryset


class InfinitePaginator(paginator.InfinitePaginator):  # type: ignore[misc]
    """Forwards and backwards, without a count; the last page is as deep as one may ask for.

    It keeps its parent's name, by which unfold knows not to show a count.
    """

    @property
    def count(self) -> int:
        return int(self.per_page) * 1000


@admin.register(UsageRecord)
class UsageRecordAdmin(ModelAdmin):
    list_display = (
        *("began", "result", "account", "key_name", "voice", "asked_for", "format"),
        *("characters", "audio", "first_audio"),
    )
    list_select_related = ("account", "key")
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        EngineFilter,
        ModelFilter,
        FaceFilter,
        ("account", AutocompleteSelectFilter),
        ("key", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin/speech/usagerecord/tools.html"
    search_fields = ("request_id",)
    search_help_text = gettext_lazy("Request ID, voice or hash of the text, in full")
    sortable_by = ("began",)
    ordering = ("-created_at",)
    paginator = InfinitePaginator
    show_full_result_count = False
    date_hierarchy = "created_at"
    show_add_link = False

    # -- what is seen

    @admin.display(description=gettext_lazy("when (UTC)"), ordering="created_at")
    def began(self, record: UsageRecord) -> str:
        return f"{record.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("key"))
    def key_name(self, record: UsageRecord) -> str:
        return record.key.name if record.key else "–"

    @admin.display(description=gettext_lazy("model"))
    def asked_for(self, record: UsageRecord) -> str:
        return record.model

    @admin.display(description=gettext_lazy("format"))
    def format(self, record: UsageRecord) -> str:
        return record.response_format

    @admin.display(description=gettext_lazy("audio"))
    def audio(self, record: UsageRecord) -> str:
        return _("%(seconds).1f s") % {"seconds": record.audio_ms / 1000}

    @admin.display(description=gettext_lazy("first audio"))
    def first_audio(self, record: UsageRecord) -> str:
        return "–" if record.ttfa_ms is None else f"{record.ttfa_ms:.0f} ms"

    @display(
        description=gettext_lazy("outcome"),
        label={
            "open": None,
            "completed": "success",
            "server_failed": "danger",
            "client_closed": "warning",
            "cancelled": None,
        },
    )  # type: ignore[untyped-decorator]
    def result(self, record: UsageRecord) -> tuple[str, str]:
        return record.outcome, record.get_outcome_display()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Whole values only, so that each search is one index look-up."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) == _HASH_LENGTH:
            return queryset.filter(text_hash=term.lower()), False
        by_request = queryset.filter(request_id=term)
        return (by_request if by_request.exists() else queryset.filter(voice=term)), False

    # -- what nobody may do

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # -- charts and export

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("export/", guarded(self.export), name="speech_usagerecord_export"),
            path("charts/", guarded(self.charts), name="speech_usagerecord_charts"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows under the same filters, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return csv_response(self.get_changelist_instance(request).get_queryset(request))

    def charts(self, request: HttpRequest) -> HttpResponse:
        """Requests and characters by day, key, voice and model."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("days", "30")
        days = int(asked) if asked in map(str, PERIODS) else 30
        context = {
            **self.admin_site.each_context(request),
            "title": _("Usage charts"),
            "opts": self.opts,
            "days": days,
            "periods": PERIODS,
            "charts": [by_day_chart(days), *(top_chart(field, days) for field in CHARTS)],
        }
        return TemplateResponse(request, "admin/speech/usagerecord/charts.html", context)


def by_day_chart(days: int) -> tuple[str, str]:
    """Title and data."""
    found = traffic.by_day(days)
    data = {_("characters"): [totals.characters for totals in found.values()]}
    return _("Characters by day"), traffic.chart(traffic.in_words(found), data)


def top_chart(field: str, days: int) -> tuple[str, str]:
    """Title and data."""
    found = traffic.top(field, days)
    data = {_("characters"): [totals.characters for totals in found.values()]}
    return str(CHARTS[field]), traffic.chart(list(found), data)
