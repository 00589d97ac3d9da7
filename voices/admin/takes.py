"""What each model made of a built-in voice: heard, looked at, and had made anew.

It is nobody's voice, so that whoever may see the row listens without a reason.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts.audit import Actor
from voices.admin.pages import RecordedAdmin
from voices.delivery import deliver
from voices.models import BuiltInTake, Voice
from voices.reports import measured
from voices.samples import Report


class TakesAdmin(RecordedAdmin):
    """Voices, with the takes of those that are built in."""

    change_form_after_template = "admin/voices/takes.html"

    def get_urls(self) -> list[URLPattern]:
        take, view = "<int:object_id>/takes/<int:take_id>", self.admin_site.admin_view
        return [
            path(f"{take}/audio/", view(self.take_audio), name="voices_take_audio"),
            path(f"{take}/anew/", view(self.take_anew), name="voices_take_anew"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        voice = self.get_object(request, object_id) if object_id else None
        context = dict(extra_context or {})
        if voice and voice.is_built_in:
            context["takes"] = [_shown(take) for take in BuiltInTake.objects.of_voice(voice)]
            context["may_change"] = self.has_change_permission(request)
        return super().changeform_view(request, object_id, form_url, context)

    def take_audio(self, request: HttpRequest, object_id: int, take_id: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return deliver(request, _made(object_id, take_id).object_key)

    def take_anew(self, request: HttpRequest, object_id: int, take_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        take = _made(object_id, take_id)

        def do(voice: Voice, form: forms.Form) -> str:
            if voice.make_anew(Actor.of_request(request), take):
                return _("What the model made is gone. It makes the voice anew at its next use.")
            return _("Nothing was done.")

        question = _(
            "What %(model)s made of this voice is erased, and made anew with another seed: from "
            "then on the voice sounds different."
        ) % {"model": take.model}
        return self.ask_and_do(request, str(object_id), question, do)


def _made(voice_id: int, take_id: int) -> BuiltInTake:
    """A take of this voice. Raises Http404 where there is none, or nothing in it yet."""
    names = Voice.objects.built_in().filter(pk=voice_id).values("public_id")
    return get_object_or_404(BuiltInTake.objects.ready(), pk=take_id, preset__in=names)


def _shown(take: BuiltInTake) -> dict[str, Any]:
    lines = measured(Report.from_json(take.report)) if take.report else []
    return {"take": take, "lines": lines}
