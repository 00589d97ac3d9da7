"""What every page of our admin shares: it writes what was changed and refuses what was forged."""

from __future__ import annotations

from typing import Any

import unfold.admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse


class ModelAdmin(unfold.admin.ModelAdmin):  # type: ignore[misc]
    """Unfold's ModelAdmin, strict."""

    list_per_page = 50

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django answers an action that is not offered to this person with a list; we refuse it."""
        if request.method == "POST" and request.POST.get("action") not in self.get_actions(request):
            raise PermissionDenied
        response: HttpResponse = super().changelist_view(request, extra_context)
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
