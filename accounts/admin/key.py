"""API keys: issued once and shown once, then limited, rotated and revoked; never deleted or read.

The text of a key exists in one answer alone, which no browser may keep.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.admin.base import ModelAdmin
from accounts.admin.key_forms import IssueForm, KeyForm, RotateForm
from accounts.admin.use import bar, with_use
from accounts.audit import Actor
from accounts.models import ApiKey

_LIMITS = (
    ("monthly_characters", "monthly_seconds"),
    ("requests_per_minute", "parallel_streams"),
)
_ALLOWED = ("allowed_voices", "allowed_models", "allowed_networks")


class AlreadyIssued(Exception):
    """This form has made its key before."""


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    list_display = ("name", "written", "account", "stands", "characters", "audio", "last_used_at")
    list_select_related = ("account",)
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "public_id", "last_four", "account__name")
    ordering = ("-created_at",)
    actions = ("revoke_selected",)
    actions_detail = ("rotate", "revoke")
    autocomplete_fields = ("account",)
    form = KeyForm
    readonly_fields = (
        *("written", "state", "characters", "audio", "created_at", "created_by"),
        *("last_used_at", "revoked_at", "grace_until", "rotated_from"),
    )
    add_fieldsets = (
        (None, {"fields": ("ticket", "account", "name", "scopes", "expires_at")}),
        (gettext_lazy("Limits (empty: none)"), {"fields": _LIMITS}),
        (gettext_lazy("Allowed (empty: all)"), {"fields": _ALLOWED}),
    )
    fieldsets = (
        (None, {"fields": ("name", ("written", "state"), "account", "scopes", "expires_at")}),
        (gettext_lazy("Used this month"), {"fields": (("characters", "audio"),)}),
        (gettext_lazy("Limits (empty: none)"), {"fields": _LIMITS}),
        (gettext_lazy("Allowed (empty: all)"), {"fields": _ALLOWED}),
        (
            gettext_lazy("History"),
            {
                "fields": (
                    ("created_at", "created_by"),
                    ("last_used_at", "revoked_at"),
                    ("grace_until", "rotated_from"),
                )
            },
        ),
    )

    # -- what is seen

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        keys = super().get_queryset(request).defer("digest")
        # Rotated keys share the counters of the first of their line.
        return with_use(keys.annotate(meter=Coalesce(F("first_id"), F("pk"))), key_id="meter")

    @admin.display(description=gettext_lazy("key"))
    def written(self, key: ApiKey) -> str:
        return f"vox_{key.public_id}_…{key.last_four}"

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("state"),
        label={"active": "success", "expired": None, "rotating": "warning", "revoked": "danger"},
    )
    def stands(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked_at:
            return "revoked", _("revoked")
        if not key.is_alive:
            return "expired", _("expired")
        return ("rotating", _("rotating")) if key.grace_until else ("active", _("active"))

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> str:
        return str(self.stands(key)[1])

    @admin.display(description=gettext_lazy("characters"))
    def characters(self, key: Any) -> str:
        return bar(key.characters_now, key.monthly_characters, "")

    @admin.display(description=gettext_lazy("audio"))
    def audio(self, key: Any) -> str:
        return bar(key.ms_now // 1000, key.monthly_seconds, _("s"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key that is gone explains nothing: it is revoked instead."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A key keeps its account: what it used is counted there."""
        return (*self.readonly_fields, "account") if obj else self.readonly_fields

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        revoked = ApiKey.objects.filter(pk=object_id, revoked_at__isnull=False).exists()
        return [] if revoked else list(super().get_actions_detail(request, object_id))

    # -- issuing

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[ApiKey]]:
        form = KeyForm if change else IssueForm
        made: type[ModelForm[ApiKey]] = super().get_form(request, obj, change, form=form, **kwargs)
        return made

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        one_at_a_time = {"show_save_and_add_another": False, "show_save_and_continue": False}
        try:
            response: HttpResponse = super().add_view(
                request, form_url, {**(extra_context or {}), **one_at_a_time}
            )
        except AlreadyIssued:
            messages.warning(
                request,
                _(
                    "This form was already sent, and its key was shown once. Nothing was made; "
                    "if the key was lost, revoke it and issue another."
                ),
            )
            return HttpResponseRedirect(reverse("admin:accounts_apikey_changelist"))
        return response

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        """The key itself is made by ``issue``; the form only lends its fields."""
        key: ApiKey = form.save(commit=False)
        if change:
            return key
        given = {name: form.cleaned_data[name] for name in form.cleaned_data if name != "ticket"}
        try:
            raw, key = ApiKey.issue(
                **given,
                by=Actor.of_request(request),
                created_by=request.user,
                public_id=form.cleaned_data["ticket"],
            )
        except IntegrityError as error:
            raise AlreadyIssued from error
        key.raw = raw  # type: ignore[attr-defined]  # lives as long as this request
        return key

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A new key has nothing beside it, and its own audit entry."""
        if change:
            super().save_related(request, form, formsets, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        return self._show_once(request, obj, obj.raw)

    def _show_once(self, request: HttpRequest, key: ApiKey, raw: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copy this key now"),
            "opts": self.opts,
            "key": key,
            "raw": raw,
        }
        # Every admin view answers "no-store", so no browser and no proxy keeps this one.
        return TemplateResponse(request, "admin/accounts/apikey/issued.html", context)

    # -- rotating and revoking

    @action(
        description=gettext_lazy("Rotate"),
        url_path="rotate",
        permissions=["change"],
        icon="autorenew",
    )  # type: ignore[untyped-decorator]
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self._living(request, object_id)
        form = RotateForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._confirm(request, key, "rotate", form)
        try:
            raw, successor = key.rotate(form.cleaned_data["grace"], Actor.of_request(request))
        except IntegrityError:
            messages.warning(request, _("This key has been rotated before. Nothing was made."))
            return HttpResponseRedirect(self._page_of(key))
        self.log_change(request, key, "Rotated.")
        return self._show_once(request, successor, raw)

    @action(
        description=gettext_lazy("Revoke"),
        url_path="revoke",
        permissions=["change"],
        icon="block",
        variant=ActionVariant.DANGER,
    )  # type: ignore[untyped-decorator]
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self._living(request, object_id)
        if request.method != "POST":
            return self._confirm(request, key, "revoke", None)
        self._revoke(request, key)
        done = _("%(name)s is revoked and opens nothing any more.") % {"name": key.name}
        messages.success(request, done)
        return HttpResponseRedirect(self._page_of(key))

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["change"])
    def revoke_selected(self, request: HttpRequest, keys: QuerySet[Any]) -> None:
        for key in keys:
            self._revoke(request, key)
        messages.success(request, _("The selected keys are revoked."))

    def _revoke(self, request: HttpRequest, key: ApiKey) -> None:
        key.revoke(Actor.of_request(request))
        self.log_change(request, key, "Revoked.")

    def _living(self, request: HttpRequest, object_id: str) -> ApiKey:
        key: ApiKey | None = self.get_object(request, object_id)
        if key is None or key.revoked_at:
            raise PermissionDenied(_("There is no such key, or it is revoked."))
        return key

    def _confirm(
        self, request: HttpRequest, key: ApiKey, verb: str, form: RotateForm | None
    ) -> HttpResponse:
        titles = {"rotate": _("Rotate %(name)s"), "revoke": _("Revoke %(name)s")}
        context = {
            **self.admin_site.each_context(request),
            "title": titles[verb] % {"name": key.name},
            "opts": self.opts,
            "original": key,
            "verb": verb,
            "form": form,
            "back": self._page_of(key),
        }
        return TemplateResponse(request, "admin/accounts/apikey/confirm.html", context)

    def _page_of(self, key: ApiKey) -> str:
        return reverse("admin:accounts_apikey_change", args=[key.pk])
