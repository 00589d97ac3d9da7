"""What a person had spoken: found again, heard again, said again, taken away.

Each sees their own for the account they act for, and nobody else's, owners included.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.retention import Retention
from portal.views.pages import PersonRequest, page
from speech import history
from speech.audio import ENCODERS
from speech.models import HistoryItem
from voices.delivery import as_media
from voices.models import Voice

PER_PAGE = 25
_LONGEST_SEARCH = 200


def _mine(request: PersonRequest) -> QuerySet[HistoryItem]:
    return HistoryItem.objects.all().of(request.user.pk, request.account)


@page()
def index(request: PersonRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "")[:_LONGEST_SEARCH].strip()
    items = HistoryItem.objects.all().of(request.user.pk, request.account)
    found = Paginator(items.search(words) if words else items, PER_PAGE)
    shown = found.get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "words": words,
        "query": f"{urlencode({'q': words})}&" if words else "",
        "voice_names": _names(shown.object_list, request),
        "account": request.account,
        "rule": Retention(request.account.retention),
        "days": request.account.retention_days,
    }
    return render(request, "portal/history/index.html", context)


def _names(items: Any, request: PersonRequest) -> dict[str, str]:
    """What the voices are called now, for those that may still be seen."""
    ids = {item.record.voice for item in items}
    visible = Voice.objects.owned().filter(public_id__in=ids).visible_to(request.account)
    return dict(visible.values_list("public_id", "name"))


@page()
def settings(request: PersonRequest, pk: int) -> HttpResponse:
    """What the studio needs to say it again: JSON in the shape of a request to /api/speech."""
    item = get_object_or_404(_mine(request), pk=pk)
    return JsonResponse(history.as_request(item))


@page()
def audio(request: PersonRequest, pk: int) -> HttpResponseBase:
    """As it was heard, where the account keeps audio."""
    item = get_object_or_404(_mine(request).exclude(audio_key=""), pk=pk)
    try:
        heard = item.read_audio()
    except OSError:
        raise Http404 from None
    attached = f'attachment; filename="speech-{pk}.{history.AUDIO_FORMAT}"'
    return as_media(HttpResponse(heard), ENCODERS[history.AUDIO_FORMAT].media_type, attached)


@page("POST")
def forget(request: PersonRequest, pk: int) -> HttpResponse:
    """One, now and for good."""
    get_object_or_404(_mine(request), pk=pk)
    return _forget(request, _mine(request).filter(pk=pk))


@page("POST")
def forget_all(request: PersonRequest) -> HttpResponse:
    return _forget(request, _mine(request))


def _forget(request: PersonRequest, items: QuerySet[HistoryItem]) -> HttpResponse:
    try:
        history.forget(items)
    except OSError:
        messages.error(request, _("Some audio cannot be deleted now. Please try again later."))
    else:
        messages.success(request, _("Forgotten."))
    return redirect("history")
