"""The live engine: watched over /ws/engine/, steered by forms; notices; measurements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.admin.base import ModelAdmin
from accounts.audit import Actor
from accounts.exceptions import Refusal
from accounts.models import Account
from speech.engine.errors import EngineError
from speech.engine.types import EngineState
from speech.engine_words import STATES
from speech.errors import RequestError, describe
from speech.live import state_of_affairs, stop_stream
from speech.measuring import measure
from speech.operations import EngineMeasurement, Notice
from speech.runtime import runtime


class StoppedByOperator(RequestError):
    """Somebody who runs the platform ended the stream."""

    status = 503
    type = "service_unavailable_error"
    code = "engine_unavailable"
    retry_after = 5


@admin.register(Notice)
class NoticeAdmin(ModelAdmin):
    """What everybody reads on the portal's pages."""

    list_display = ["text", "level", "since", "until"]
    list_filter = ["level"]
    fields = ["text", "level", "since", "until"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = cast(User, request.user)
        super().save_model(request, obj, form, change)


@admin.register(EngineMeasurement)
class EngineMeasurementAdmin(ModelAdmin):
    """The table of measurements, and the live page above it. Nothing is written by hand."""

    list_display = [
        "measured_at",
        "model",
        "clients",
        "requests",
        "ttfa_p50_ms",
        "ttfa_p95_ms",
        "rtf",
        "audio_per_second",
    ]
    list_filter = ["model", "clients"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        def wrapped(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            admin_view: Callable[..., HttpResponse] = self.admin_site.admin_view(view)
            return admin_view

        own = [
            path("live/", wrapped(self.live), name="speech_engine"),
            path("live/<str:deed>/", wrapped(self.steer), name="speech_engine_steer"),
        ]
        return [*own, *super().get_urls()]

    def live(self, request: HttpRequest) -> HttpResponse:
        """What goes on now, for whom: for those who may read the usage log."""
        if not request.user.has_perm("speech.view_usagerecord"):
            raise PermissionDenied
        now = state_of_affairs()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Live engine"),
            "now": now,
            "state": STATES[EngineState(now["engine"]["state"])],
            "measurements": EngineMeasurement.objects.all()[:9],
            "may_steer": request.user.is_superuser,
            "states": STATES,
            "deeds": [
                ("load", _("Load")),
                ("unload", _("Unload")),
                ("restart", _("Restart")),
                ("measure", _("Measure")),
            ],
            "heads": [
                *(_("Account"), _("Face"), _("Voice"), _("Characters")),
                *(_("Age"), _("Audio"), _("Speed")),
            ],
        }
        return TemplateResponse(request, "admin/speech/engine.html", context)

    def steer(self, request: HttpRequest, deed: str) -> HttpResponse:
        """Load, unload, restart, measure, or stop a stream."""
        if not request.user.is_superuser:
            raise PermissionDenied
        deeds: dict[str, Callable[[], object]] = {
            "load": lambda: runtime.engine.load(),
            "unload": lambda: runtime.engine.unload(),
            "restart": runtime.restart,
            "measure": lambda: _measure(request),
            "stop": lambda: _stop(request),
        }
        if request.method != "POST" or deed not in deeds:
            raise Http404
        try:
            deeds[deed]()
        except (RequestError, EngineError, Refusal) as error:
            messages.error(request, describe(error).message)
        else:
            messages.success(request, _("Done."))
            with transaction.atomic():
                audit.record(f"engine.{deed}", Actor.of_request(request), request.user)
        return HttpResponseRedirect(reverse("admin:speech_engine"))


def _measure(request: HttpRequest) -> None:
    user = cast(User, request.user)
    async_to_sync(measure)(Account.objects.for_user(user), user.pk)


def _stop(request: HttpRequest) -> None:
    asked = request.POST.get("stream", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        raise Http404
    if not stop_stream(int(asked), StoppedByOperator("The stream was stopped by an operator.")):
        raise RequestError(_("It has ended already."))
