"""Imports: an archive is sent, worked on in the background, watched, reported line by line."""

from __future__ import annotations

import csv
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts.audit import Actor
from accounts.models import Account
from accounts.spreadsheets import cell
from voices.admin.pages import RecordedAdmin, in_sentence
from voices.bundle import RefusedBundle
from voices.consents import Origin
from voices.exceptions import InvalidVoiceField, StorageUnavailable
from voices.import_rows import ImportedFile, VoiceImport
from voices.imports import begin

_REPORT = ("number", "file", "name", "state", "voice_id", "report")


class ImportForm(forms.Form):
    """What to import, for whom, and on whose word."""

    account = forms.ModelChoiceField(
        Account.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
        label=gettext_lazy("Account"),
    )
    archive = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        label=gettext_lazy("Archive"),
        help_text=gettext_lazy(
            "A zip with voices.csv at its top: columns file and name, and if you like "
            "transcript, language, description, consent, override."
        ),
    )
    statement = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        label=gettext_lazy("Statement"),
        help_text=gettext_lazy(
            "That the owners of the voices agree, for lines that do not say so themselves."
        ),
    )


class ImportedFileInline(TabularInline):  # type: ignore[misc]
    model = ImportedFile
    extra = 0
    can_delete = False
    per_page = 50
    fields = readonly_fields = ("number", "file", "name", "state", "voice_id", "report")
    verbose_name_plural = gettext_lazy("lines")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(VoiceImport)
class VoiceImportAdmin(RecordedAdmin):
    list_display = ("__str__", "account", "stands", "progress", "asked_by", "created_at")
    list_select_related = ("account",)
    list_filter = ("state",)
    actions_detail = ("report", "cancel")
    inlines = (ImportedFileInline,)
    fieldsets = (
        (None, {"fields": ("account", ("state", "progress"), "statement")}),
        (
            gettext_lazy("By whom"),
            {"fields": (("asked_by", "created_by"), ("created_at", "ended_at"))},
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("voices.add_voiceimport"))

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("state"),
        label={"done": "success", "running": "info", "waiting": "info", "cancelled": "warning"},
    )
    def stands(self, made: VoiceImport) -> tuple[str, str]:
        return made.state, made.get_state_display()

    @admin.display(description=gettext_lazy("lines"))
    def progress(self, made: VoiceImport) -> str:
        count = made.count()
        done = count["done"] + count["failed"]
        return _("%(done)s of %(all)s, %(failed)s refused") % {
            "done": done,
            "all": sum(count.values()),
            "failed": count["failed"],
        }

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Not Django's: that one holds a transaction around all of it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        sent = request.method == "POST"
        form = ImportForm(request.POST, request.FILES) if sent else ImportForm()
        if sent and form.is_valid():
            try:
                return HttpResponseRedirect(self.page_of(self._begin(request, form.cleaned_data)))
            except (RefusedBundle, InvalidVoiceField, StorageUnavailable) as refused:
                form.add_error(None, str(refused))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import voices"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/voices/import.html", context)

    def _begin(self, request: HttpRequest, told: dict[str, Any]) -> VoiceImport:
        origin = Origin(
            Actor.of_request(request),
            request.user,  # type: ignore[arg-type]
            request.headers.get("user-agent", "")[:200],
        )
        return begin(told["account"], told["archive"].file, origin, told["statement"])

    @action(
        description=gettext_lazy("Download the report"),
        url_path="report",
        permissions=["view"],
        icon="download",
    )  # type: ignore[untyped-decorator]
    def report(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Line by line what came of it, as CSV."""
        made = self.get_object(request, object_id)
        if made is None:
            raise PermissionDenied(_("There is no such import."))
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["content-disposition"] = f'attachment; filename="import-{object_id}.csv"'
        answer["cache-control"] = "no-store"
        writer = csv.writer(answer)
        writer.writerow(_REPORT)
        for line in made.files.values_list(*_REPORT):
            writer.writerow([cell(value) for value in line])
        return answer

    @action(
        description=gettext_lazy("Cancel"),
        url_path="cancel",
        permissions=["change"],
        icon="stop",
        variant=ActionVariant.DANGER,
    )  # type: ignore[untyped-decorator]
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(made: VoiceImport, form: forms.Form) -> str:
            made.cancel(Actor.of_request(request))
            return _("The import is %(state)s.") % {"state": in_sentence(made)}

        question = _("What became voices stays; the other lines are not imported.")
        return self.ask_and_do(request, object_id, question, do)
