"""The audit log: read, searched and filtered; never written here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ModelAdmin
from accounts.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    list_display = ("number", "when", "action", "actor_name", "target_name", "account_id")
    list_filter = ("action", "actor_kind")
    search_fields = ("actor_name", "target_name", "request_id")
    ordering = ("-number",)
    sortable_by = ("number",)
    date_hierarchy = "created_at"
    show_add_link = False

    @admin.display(description=_("when (UTC)"))
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.created_at:%Y-%m-%d %H:%M:%S}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
