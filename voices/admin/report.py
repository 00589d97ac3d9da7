"""What people report of voices: read, and settled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from voices.admin.pages import VerbsAdmin
from voices.models import VoiceReport


@admin.register(VoiceReport)
class VoiceReportAdmin(VerbsAdmin):
    list_display = ("shown", "condition", "account", "reason", "created_at")
    list_select_related = ("voice", "account")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    search_fields = ("voice__name", "voice__public_id", "reason")
    actions = ("settle_selected",)
    actions_detail = ("settle",)
    fieldsets = (
        (None, {"fields": (("name", "voice"), "account", "reason")}),
        (gettext_lazy("History"), {"fields": (("created_at", "settled_at"),)}),
    )

    @admin.display(description=gettext_lazy("voice"), ordering="voice__name")
    def shown(self, report: VoiceReport) -> str:
        return report.voice.name or report.voice.public_id

    @admin.display(description=gettext_lazy("name"))
    def name(self, report: VoiceReport) -> str:
        return report.voice.name or "–"

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("state"), label={"open": "warning", "settled": "success"}
    )
    def condition(self, report: VoiceReport) -> tuple[str, str]:
        return ("settled", _("settled")) if report.settled_at else ("open", _("open"))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        is_open = VoiceReport.objects.filter(pk=object_id, settled_at=None).exists()
        return list(super().get_actions_detail(request, object_id)) if is_open else []

    @action(
        description=gettext_lazy("Settle"),
        url_path="settle",
        permissions=["change"],
        icon="task_alt",
    )  # type: ignore[untyped-decorator]
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(report: VoiceReport, form: forms.Form) -> str:
            self._settle(request, report)
            return _("The report is settled.")

        question = _("You have looked at the voice, and have done what was to be done.")
        return self.ask_and_do(request, object_id, question, do)

    @admin.action(description=gettext_lazy("Settle the selected reports"), permissions=["change"])
    def settle_selected(self, request: HttpRequest, reports: Any) -> None:
        for report in reports:
            self._settle(request, report)
        self.message_user(request, _("The selected reports are settled."))

    def _settle(self, request: HttpRequest, report: VoiceReport) -> None:
        """Once; it stays known when that was."""
        open_one = VoiceReport.objects.filter(pk=report.pk, settled_at=None)
        with transaction.atomic():
            if open_one.update(settled_at=timezone.now()):
                self.audit(request, "settle", report)
