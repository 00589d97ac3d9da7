"""What people report of voices: read, and settled."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.base import ModelAdmin
from voices.models import VoiceReport


@admin.register(VoiceReport)
class VoiceReportAdmin(ModelAdmin):
    list_display = ("voice", "account", "reason", "created_at", "settled_at")
    list_select_related = ("voice", "account")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    search_fields = ("voice__public_id", "reason")
    readonly_fields = ("voice", "account", "reason", "created_at", "settled_at")
    actions = ("settle_selected",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=gettext_lazy("Settle the selected reports"), permissions=["change"])
    def settle_selected(self, request: HttpRequest, reports: Any) -> None:
        for report in reports.filter(settled_at=None):
            VoiceReport.objects.filter(pk=report.pk).update(settled_at=timezone.now())
            self.audit(request, "settle", report)
        self.message_user(request, _("The selected reports are settled."))
