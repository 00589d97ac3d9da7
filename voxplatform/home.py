"""The page at /: what runs, a box that speaks with the key one pastes, and where to go next.

Everything that moves on it happens in the browser, through the public API. Knows no user.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.gate import gated
from speech.runtime import runtime
from voxplatform import __version__


def _home(request: HttpRequest) -> HttpResponse:
    context = {
        "info": runtime.known_info(),
        "stats": runtime.stats(),
        "notice": runtime.notice,
        "version": __version__,
        "site_url": settings.SITE_URL,
        "max_characters": settings.MAX_INPUT_CHARACTERS,
    }
    return render(request, "home.html", context)


home = gated(_home)
