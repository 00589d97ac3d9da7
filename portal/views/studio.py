"""The studio: a text, a voice and settings, heard while it is being made.

What the page says is asked for at ``/api/studio/speech`` (``portal/speaking.py``).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import Account
from portal import texts
from portal.choices import voice_choices
from portal.playing import sample_rate
from portal.preferences import profile_of
from portal.views.pages import PersonRequest, page
from speech.api.openai import listed_models
from speech.audio import ENCODERS
from speech.engine.types import Ability, EngineInfo
from speech.runtime import runtime
from voices.exceptions import ConsentRequired, UnknownVoice
from voices.resolving import resolve


@page()
def studio(request: PersonRequest) -> HttpResponse:
    """The page. ``?voice=`` chooses one of those that may be used."""
    info, stats = runtime.known_info(), runtime.stats()
    voices, profile = voice_choices(request.account), profile_of(request)
    wanted = (request.GET.get("voice", ""), profile.default_voice)
    context = {
        "info": info,
        "stats": stats,
        "notice": runtime.notice,
        "can": _abilities(info),
        "voices": voices,
        "voice": _chosen(wanted, voices, request.account),
        "models": [model["id"] for model in listed_models(None)],
        "formats": list(ENCODERS),
        "format": profile.default_format,
        "languages_spoken": sorted(set(info.languages) - {"mul"}) if info else [],
        "sample_rate": sample_rate(),
        "most": settings.MAX_INPUT_CHARACTERS,
        "site_url": settings.SITE_URL,
        "minutes": settings.TAKE_MINUTES,
        "samples": texts.samples(),
    }
    return render(request, "portal/studio.html", context)


def _abilities(info: EngineInfo | None) -> dict[str, bool]:
    return {ability.value: info is not None and ability in info.abilities for ability in Ability}


def _chosen(
    wanted: tuple[str, ...], voices: list[dict[str, Any]], account: Account
) -> dict[str, Any]:
    """The voice asked for, else the person's default, the account's, the platform's."""
    by_id = {voice["id"]: voice for voice in voices}
    for name in (*wanted, account.default_voice, settings.DEFAULT_VOICE):
        try:
            found = resolve(name, account)
        except (UnknownVoice, ConsentRequired):
            continue
        shown = found.public_id if found else name
        if shown in by_id:
            return by_id[shown]
    return voices[0]
