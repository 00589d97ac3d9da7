"""Models fetched in the background: asked for by a form, watched, cancelled and resumed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.admin.base import ModelAdmin
from speech import downloads
from speech.engine.voxcpm.checkpoint import KNOWN
from speech.hub.errors import FetchError
from speech.hub.fetch import discard, in_words, name_of
from speech.models import ModelDownload

_TITLES = {
    "resume": gettext_lazy("Resume %(name)s"),
    "cancel": gettext_lazy("Cancel %(name)s"),
}
_QUESTIONS = {
    "resume": gettext_lazy(
        "What is missing of %(name)s is fetched from %(hub)s; what is there is kept."
    ),
    "cancel": gettext_lazy(
        "%(name)s is no longer fetched from %(hub)s. What is there is kept, so it can be resumed."
    ),
}


class DownloadForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which model, and where from."""

    class Meta:
        model = ModelDownload
        fields = ("model", "hub")
        help_texts = {
            "model": format_lazy(
                gettext_lazy(
                    "{known}, owner/name as the hub calls it, or a directory of this machine, "
                    "which is linked."
                ),
                known=", ".join(KNOWN),
            )
        }

    def clean_model(self) -> str:
        model: str = self.cleaned_data["model"].strip()
        running = ModelDownload.objects.filter(name=name_of(model)).first()
        if running and running.is_running:
            raise forms.ValidationError(
                _("%(name)s is being fetched already."), params={"name": running}
            )
        return model


@admin.register(ModelDownload)
class ModelDownloadAdmin(ModelAdmin):
    list_display = ("name", "stands", "progress", "hub", "error", "started_at")
    actions = None
    actions_detail = ("resume", "cancel")
    form = DownloadForm
    add_fieldsets = ((None, {"fields": ("model", "hub")}),)
    fieldsets = (
        (None, {"fields": ("name", ("condition", "progress"), "error")}),
        (gettext_lazy("Where from"), {"fields": (("model", "hub"),)}),
        (gettext_lazy("When"), {"fields": (("started_at", "started_by"), ("heard_at", "machine"))}),
    )

    class Media:
        js = ("voxplatform/downloads.js",)

    # -- what is seen

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("state"),
        label={
            "installed": "success",
            "running": "info",
            "failed": "danger",
            "interrupted": "warning",
            "cancelled": "warning",
        },
    )
    def stands(self, download: ModelDownload) -> tuple[str, str]:
        if download.is_interrupted:
            return "interrupted", _("Interrupted")
        return download.state, download.get_state_display()

    @admin.display(description=gettext_lazy("state"))
    def condition(self, download: ModelDownload) -> str:
        return str(self.stands(download)[1])

    @admin.display(description=gettext_lazy("fetched"))
    def progress(self, download: ModelDownload) -> str:
        # The mark by which the page knows to look again soon.
        running = "yes" if download.is_running else "no"
        if not download.size:
            return format_html('<span data-running="{}">–</span>', running)
        return format_html(
            '<div class="vox-use" data-running="{}"><div>{}</div>'
            '<progress class="vox-bar" value="{}" max="{}"></progress></div>',
            running,
            _("%(done)s of %(size)s")
            % {"done": in_words(download.done), "size": in_words(download.size)},
            download.done,
            download.size,
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("name", "condition", "progress", "error", "started_at", "started_by")
        return (*shown, "model", "hub", "heard_at", "machine") if obj else ()

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra: Any = None
    ) -> HttpResponse:
        """Nothing of a download is edited; it has actions."""
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        buttons |= {"show_save": object_id is None}
        try:
            shown: HttpResponse = super().changeform_view(
                request, object_id, form_url, (extra or {}) | buttons
            )
        except FetchError as error:  # somebody else was quicker, or it is there no more
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:speech_modeldownload_changelist"))
        return shown

    # -- what is done

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str]:
        return {"model": next(iter(KNOWN))}

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ModelDownload:
        download: ModelDownload = form.save(commit=False)
        if not change:
            download = downloads.start(download.model, download.hub, request.user)
            form.instance = download
        return download

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Its row belongs to whoever fetches it."""

    @action(
        description=gettext_lazy("Resume"),
        url_path="resume",
        permissions=["change"],
        icon="play_arrow",
    )  # type: ignore[untyped-decorator]
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        download = self._asked_for(request, object_id, running=False)
        if request.method != "POST":
            return self._confirm(request, download, "resume")
        try:
            with transaction.atomic():
                downloads.start(download.model, download.hub, request.user)
                self._tell(request, download, "resume")
        except FetchError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(_page_of(download))

    @action(
        description=gettext_lazy("Cancel"),
        url_path="cancel",
        permissions=["change"],
        icon="stop",
        variant=ActionVariant.DANGER,
    )  # type: ignore[untyped-decorator]
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        download = self._asked_for(request, object_id, running=True)
        if request.method != "POST":
            return self._confirm(request, download, "cancel")
        with transaction.atomic():
            download.cancel()
            self._tell(request, download, "cancel")
        return HttpResponseRedirect(_page_of(download))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        download = ModelDownload.objects.filter(pk=object_id).first()
        hidden = "resume" if download and download.is_running else "cancel"
        if download and download.state == ModelDownload.State.INSTALLED:
            return []
        offered = super().get_actions_detail(request, object_id)
        return [one for one in offered if one.path != hidden]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_running)

    def delete_model(self, request: HttpRequest, obj: ModelDownload) -> None:
        """With what was fetched of it; a model that is whole stays where it is."""
        try:
            discard(obj.name, settings.MODELS_DIR)
        except FetchError as error:
            raise PermissionDenied(str(error)) from error
        super().delete_model(request, obj)

    def _asked_for(self, request: HttpRequest, object_id: str, *, running: bool) -> ModelDownload:
        download: ModelDownload | None = self.get_object(request, object_id)
        if download is None or download.is_running != running:
            raise PermissionDenied(_("There is no such download, or it has changed meanwhile."))
        return download

    def _tell(self, request: HttpRequest, download: ModelDownload, verb: str) -> None:
        self.log_change(request, download, f"{verb.capitalize()}.")
        self.audit(request, verb, download, {"model": download.model, "hub": download.hub})

    def _confirm(self, request: HttpRequest, download: ModelDownload, verb: str) -> HttpResponse:
        named = {"name": download, "hub": download.get_hub_display()}
        context = {
            **self.admin_site.each_context(request),
            "title": _TITLES[verb] % named,
            "opts": self.opts,
            "question": _QUESTIONS[verb] % named,
            "verb": verb,
            "back": _page_of(download),
        }
        return TemplateResponse(request, "admin/speech/modeldownload/confirm.html", context)


def _page_of(download: ModelDownload) -> str:
    return reverse("admin:speech_modeldownload_change", args=[download.pk])
