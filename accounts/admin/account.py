"""Accounts: who pays, who belongs to them and what they used of their limits this month."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from accounts.admin.base import ModelAdmin
from accounts.admin.use import bar, with_use
from accounts.audit import Actor
from accounts.models import Account, Invitation, Membership


class MembershipInline(TabularInline):  # type: ignore[misc]
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)
    verbose_name_plural = _("members")


@admin.register(Account)
class AccountAdmin(ModelAdmin):
    list_display = ("name", "is_active", "characters", "audio", "keys", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "members__username", "members__email")
    inlines = (MembershipInline,)
    autocomplete_fields = ("personal_of",)
    readonly_fields = ("characters", "audio", "made_by", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "personal_of", "is_active", "default_voice")}),
        (None, {"fields": (("made_by", "created_at"),)}),
        (_("History of its people"), {"fields": (("history", "history_days"),)}),
        (_("Limits per month (UTC)"), {"fields": (("monthly_characters", "monthly_seconds"),)}),
        (_("Used this month"), {"fields": (("characters", "audio"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        accounts = super().get_queryset(request).annotate(key_count=Count("keys", distinct=True))
        return with_use(accounts, account_id="pk")

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        Invitation.objects.all().withdraw_former(form.instance.pk, Actor.of_request(request))

    @admin.display(description=_("characters"))
    def characters(self, account: Any) -> str:
        return bar(getattr(account, "characters_now", 0), account.monthly_characters, "")

    @admin.display(description=_("audio"))
    def audio(self, account: Any) -> str:
        return bar(getattr(account, "ms_now", 0) // 1000, account.monthly_seconds, _("s"))

    @admin.display(description=_("keys"))
    def keys(self, account: Any) -> int:
        return int(account.key_count)
