"""What the pages of voices, consents and reports share: nothing is edited there, everything is
asked before it is done, and whoever listens to a recording says why, which is logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.base import ModelAdmin
from voices import storage
from voices.consents import UNCHECKED
from voices.delivery import deliver
from voices.exceptions import StorageUnavailable
from voices.reports import measured
from voices.samples import Report
from voices.wav import read_own
from voices.waveform import COLUMNS, HEIGHT, waveform

_SALT = "voices.listen"
_LISTEN_SECONDS = 600


class ReasonForm(forms.Form):
    """Why somebody listens, or withdraws what others gave."""

    reason = forms.CharField(
        min_length=5,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        label=gettext_lazy("Reason"),
    )


class VerbsAdmin(ModelAdmin):
    """Rows that are changed by verbs alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting would leave recordings and no receipt: there is erasing instead."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in _flat(options["fields"])]

    def ask_and_do(
        self,
        request: HttpRequest,
        object_id: str,
        question: str,
        do: Callable[[Any, Any], str],
        form_class: type[forms.Form] = forms.Form,
    ) -> HttpResponse:
        """Show a question; when it is answered, ``do`` it with the row and the form."""
        row = self.get_object(request, object_id)
        if row is None:
            raise PermissionDenied(_("There is no such row."))
        form = form_class(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, do(row, form))
            except StorageUnavailable as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(self.page_of(row))
        return self.page(request, row, "confirm", {"question": question, "form": form})

    def page(
        self, request: HttpRequest, row: models.Model, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": capfirst(self.opts.verbose_name),
            "opts": self.opts,
            "original": row,
            "back": self.page_of(row),
        }
        return TemplateResponse(request, f"admin/voices/{template}.html", shared | context)

    def page_of(self, row: models.Model) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[row.pk])


class RecordedAdmin(VerbsAdmin):
    """Such rows with a recording."""

    recording = ""
    """The column with the key of what is listened to, as rows lead there."""

    def has_listen_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(f"voices.listen_{self.opts.model_name}"))

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_audio"
        audio = path("audio/<str:token>/", self.admin_site.admin_view(self.audio), name=name)
        return [audio, *super().get_urls()]

    def nothing_to_hear(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("There is no recording.")
        return self.ask_and_do(request, object_id, question, lambda *_told: _("Nothing was done."))

    def listen_to(
        self, request: HttpRequest, row: Any, key: str, report: dict[str, Any]
    ) -> HttpResponse:
        """Ask for the reason, log it, and let this person listen for ten minutes."""
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            question = _(
                "Somebody's voice is theirs. Why do you need to hear it? The audit log keeps your "
                "reason."
            )
            return self.page(request, row, "confirm", {"question": question, "form": form})
        samples, _rate = read_own(storage.read(key))
        with transaction.atomic():
            self.audit(request, "listen", row, {"reason": form.cleaned_data["reason"]})
        token = signing.dumps([request.user.pk, key], salt=_SALT)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_audio"
        context = {
            "audio": reverse(name, args=[token]),
            "path": waveform(samples),
            "box": f"0 0 {COLUMNS} {HEIGHT}",
            "lines": measured(Report.from_json(report)) if report else [],
        }
        return self.page(request, row, "listen", context)

    def audio(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """The recording, for the person whose reason was logged."""
        try:
            listener, key = signing.loads(token, salt=_SALT, max_age=_LISTEN_SECONDS)
        except signing.BadSignature as error:
            raise PermissionDenied from error
        if listener != request.user.pk or not self.has_listen_permission(request):
            raise Http404
        if not self.recording or not self.model.objects.filter(**{self.recording: key}).exists():
            raise Http404  # it was erased meanwhile
        return deliver(request, key)


def _flat(fields: Any) -> list[str]:
    return [name for item in fields for name in ([item] if isinstance(item, str) else _flat(item))]


def in_words(report: dict[str, Any]) -> str:
    """A check report as people read it."""
    if not report:
        return "–"
    lines = measured(Report.from_json(report))
    return "\n".join(f"{line.title}: {line.value}. {line.words}" for line in lines)


def checked_by(found: str) -> str:
    """Who, or what program, has heard it; as people read it."""
    return _("nobody yet") if found == UNCHECKED else found


def in_sentence(row: Any) -> str:
    """Its state, in the middle of a sentence."""
    return str(row.get_state_display()).lower()
