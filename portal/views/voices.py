"""Voices: all that one may speak with, one voice with its check and versions, and new ones.

What is recorded, uploaded or designed goes to ``/api/voices``, as any client's does; here are the
pages, and the changes that a form makes.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from accounts.audit import Actor
from accounts.seen import held
from portal import texts
from portal.choices import GROUPS, matching
from portal.playing import sample_rate
from portal.views.pages import PersonRequest, page
from portal.voice_forms import ReportForm, SharingForm, VoiceForm, WithdrawForm
from speech.api.voice_forms import ShareSerializer
from speech.engine.types import Ability
from speech.runtime import runtime
from voices.exceptions import InvalidVoiceField
from voices.limits import LIMITS
from voices.models import Voice, VoiceConsent, VoiceReport, VoiceSample
from voices.reports import measured
from voices.samples import Report

_ON_A_PAGE = 24
# Those that are offered; the API takes any tag.
_TAGS = (
    *("en", "en-GB", "en-US", "zh-CN", "zh-TW", "yue", "ja", "ko", "de", "fr", "es", "pt"),
    *("pt-BR", "it", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "id", "th", "vi"),
)


@page()
def voice_list(request: PersonRequest) -> HttpResponse:
    """Searched while one types."""
    group = request.GET.get("group", "")
    group = group if group in GROUPS else ""
    wanted = request.GET.get("q", "").strip()[:100]
    found = matching(request.account, wanted, group)
    context = {
        "page": Paginator(found, _ON_A_PAGE).get_page(request.GET.get("page")),
        "q": wanted,
        "group": group,
        "groups": GROUPS.items(),
        "rate": sample_rate(),
    }
    return render(request, "portal/voices/list.html", context)


@page()
def voice_create(request: PersonRequest) -> HttpResponse:
    """By upload, by recording or by design."""
    return render(request, "portal/voices/create.html", _recording_context())


@page()
def voice_rerecord(request: PersonRequest, public_id: str) -> HttpResponse:
    """A new recording for a voice that is there."""
    voice = _own(request, public_id)
    return render(request, "portal/voices/create.html", {"voice": voice, **_recording_context()})


def _recording_context() -> dict[str, Any]:
    info = runtime.known_info()
    return {
        "policy": settings.REQUIRE_CONSENT,
        "readings": texts.readings(),
        "limits": LIMITS,
        "can_clone": info is not None and Ability.CLONE in info.abilities,
        "can_design": info is not None and Ability.DESIGN in info.abilities,
        "model": info.model if info else "",
        "tags": _TAGS,
    }


@page("GET", "POST")
def voice_detail(request: PersonRequest, public_id: str) -> HttpResponse:
    """One voice: its owner's account sees and changes everything, others report it."""
    voice = Voice.objects.visible_to(request.account).filter(public_id=public_id).first()
    if voice is None:
        raise Http404
    if voice.account_id != request.account.pk:
        return render(request, "portal/voices/others.html", {"voice": voice, "form": ReportForm()})
    form = VoiceForm(initial=_about(voice))
    if request.method == "POST":
        with held(voice):
            form = VoiceForm(request.POST, initial=_about(voice))
            is_kept = form.is_valid() and _changed(request, voice, form)
        if is_kept:
            messages.success(request, _("Saved."))
            return redirect("voice-detail", public_id)
    return render(request, "portal/voices/detail.html", {**_details(voice), "form": form})


def _about(voice: Voice) -> dict[str, str]:
    about = {name: getattr(voice, name) for name in ("name", "description", "language")}
    return {**about, "tags": ", ".join(voice.tags)}


def _sharing(voice: Voice) -> dict[str, str]:
    names = voice.shared_with.order_by("name").values_list("name", flat=True)
    return {"visibility": voice.visibility, "accounts": ", ".join(names)}


def _changed(request: PersonRequest, voice: Voice, form: VoiceForm) -> bool:
    try:
        voice.change(Actor.of_request(request), **form.cleaned_data)
    except InvalidVoiceField as error:
        field = error.param if error.param in form.fields else None
        form.add_error(field, _sentence(error))
        voice.refresh_from_db()
        return False
    return True


def _sentence(error: InvalidVoiceField) -> str:
    """What the API says in English, for who reads the page."""
    if error.code == "name_taken":
        return _("This account has a voice of that name.")
    known = {
        "name": _("Give it 1 to 100 visible characters, and no name of a built-in voice."),
        "description": _("A description has at most 500 characters."),
        "language": _("Write a BCP 47 tag, such as en or zh-CN."),
        "tags": _("Up to 20 tags of 1 to 40 characters."),
    }
    return known.get(error.param or "", str(error))


def _details(voice: Voice) -> dict[str, Any]:
    versions = list(voice.samples.select_related("created_by"))
    return {
        "voice": voice,
        "lines": measured(Report.from_json(voice.sample.report)),
        "speaks": voice.sample,
        "versions": versions,
        "sharing": SharingForm(initial=_sharing(voice)),
        "may_withdraw": _held_consent(voice) is not None,
    }


def _held_consent(voice: Voice) -> VoiceConsent | None:
    """What may be withdrawn: a consent that was given to another account stays with that."""
    consent = voice.consent
    if consent is None or consent.account_id != voice.account_id:
        return None
    return None if consent.state == VoiceConsent.State.WITHDRAWN else consent


@page("POST")
def voice_share(request: PersonRequest, public_id: str) -> HttpResponse:
    """Private, shared with those that are named, or public."""
    voice = _own(request, public_id)
    with held(voice):
        _share(request, voice, SharingForm(request.POST, initial=_sharing(voice)))
    return redirect("voice-detail", public_id)


def _share(request: PersonRequest, voice: Voice, form: SharingForm) -> None:
    if not form.is_valid():
        messages.error(request, form.refusal or _("Choose who may speak with it."))
        return
    visibility, actor = form.cleaned_data["visibility"], Actor.of_request(request)
    names = form.cleaned_data["accounts"] if visibility == form.SHARED else []
    asked = ShareSerializer(data={"accounts": names})
    try:
        asked.is_valid(raise_exception=True)
        accounts = asked.named()
    except ValidationError:
        messages.error(request, _("There is no one account of each of these names."))
        return
    voice.share(actor, accounts)
    if visibility != form.SHARED:
        voice.change(actor, visibility=visibility)
    messages.success(request, _("Saved."))


@page("POST")
def voice_restore(request: PersonRequest, public_id: str, version: int) -> HttpResponse:
    """Speak with an older recording again."""
    voice = _own(request, public_id)
    try:
        voice.restore_version(Actor.of_request(request), version)
    except VoiceSample.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("Version %(version)s speaks again.") % {"version": version})
    return redirect("voice-detail", public_id)


@page("POST")
def voice_withdraw(request: PersonRequest, public_id: str) -> HttpResponse:
    """The consent behind it, and with that behind every voice that rests on it."""
    voice = _own(request, public_id)
    consent = _held_consent(voice)
    if consent is None:
        raise Http404
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A reason has at most 500 characters."))
        return redirect("voice-detail", public_id)
    consent.withdraw(Actor.of_request(request), form.cleaned_data["reason"])
    messages.success(
        request, _("The consent is withdrawn. Nobody speaks with this voice any more.")
    )
    return redirect("voice-detail", public_id)


@page("POST")
def voice_erase(request: PersonRequest, public_id: str) -> HttpResponse:
    """For good."""
    voice = _own(request, public_id)
    name = voice.name
    voice.erase(Actor.of_request(request))
    messages.success(request, _("%(name)s is erased for good.") % {"name": name})
    return redirect("voice-list")


@page("POST")
def voice_report(request: PersonRequest, public_id: str) -> HttpResponse:
    """Tell the operators that a voice should not be here."""
    voice = Voice.objects.visible_to(request.account).filter(public_id=public_id).first()
    form = ReportForm(request.POST)
    if voice is None:
        raise Http404
    if not form.is_valid():
        return render(request, "portal/voices/others.html", {"voice": voice, "form": form})
    reason = form.cleaned_data["reason"]
    VoiceReport.file(voice, request.account, reason, Actor.of_request(request))
    messages.success(request, _("Thank you. The operators are told."))
    return redirect("voice-detail", public_id)


def _own(request: PersonRequest, public_id: str) -> Voice:
    voice = Voice.objects.owned_by(request.account).filter(public_id=public_id).first()
    if voice is None:
        raise Http404
    return voice
