"""What every page of our admin shares: it writes what was changed, refuses what was forged, and
leaves an audit entry of every change in the change's own transaction."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import unfold.admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from accounts import audit
from accounts.admin.changes import changes_of
from accounts.seen import SeenForm, held


class ModelAdmin(unfold.admin.ModelAdmin):  # type: ignore[misc]
    """Unfold's ModelAdmin, strict."""

    list_per_page = 50
    change_form_before_template = "admin/seen.html"
    private_fields: tuple[str, ...] = ()  # the audit log tells that they changed, not into what

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django answers an action that is not offered to this person with a list; we refuse it."""
        response: HttpResponse
        if request.method != "POST":
            response = super().changelist_view(request, extra_context)
            return response
        if request.POST.get("action") not in self.get_actions(request):
            raise PermissionDenied
        with transaction.atomic():
            response = super().changelist_view(request, extra_context)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django looks for the row first, and so tells which there are to who may not know."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Whoever writes has the row to themselves until it is written."""
        row = None
        if object_id and request.method == "POST":
            row = self.get_object(request, unquote(object_id))
        with held(row) if row else nullcontext():
            response: HttpResponse = super().changeform_view(request, object_id, *args, **kwargs)
        return response

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        form: type[ModelForm[Any]] = super().get_form(request, obj, change=change, **kwargs)
        if not change or not form.base_fields:
            return form

        class Seen(SeenForm, form):  # type: ignore[misc, valid-type]
            """What the page shows of a row that is there."""

        return Seen

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Where nothing can be written, no button says that it is kept."""
        if not context["adminform"].form.fields:
            buttons = ("show_save", "show_save_and_continue", "show_save_and_add_another")
            context |= dict.fromkeys(buttons, False)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def save_model(
        self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool
    ) -> None:
        """Only the columns that were changed: what somebody else changed meanwhile stays."""
        if not change:
            obj.save()
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        changes = changes_of(form, formsets, self.private_fields)
        if changes or not change:
            self.audit(request, "change" if change else "add", form.instance, changes)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Django calls it before it deletes."""
        for gone in queryset:
            self.audit(request, "delete", gone)
        return super().log_deletions(request, queryset)

    def audit(
        self,
        request: HttpRequest,
        verb: str,
        obj: models.Model,
        details: dict[str, Any] | None = None,
    ) -> None:
        account = obj.pk if obj._meta.model_name == "account" else getattr(obj, "account_id", None)
        action = f"{obj._meta.model_name}.{verb}"
        audit.record(action, audit.Actor.of_request(request), obj, account, details)
