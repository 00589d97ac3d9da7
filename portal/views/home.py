"""The page at /: the studio for people; for everybody else what runs, and a box that speaks with
the key one pastes.

Everything that moves on it happens in the browser, through the public API.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal.nav import MENU
from speech.runtime import runtime


def home(request: HttpRequest) -> HttpResponse:
    """The first page of the menu, or the public one."""
    if request.user.is_authenticated:
        return redirect(MENU[0].url)
    context = {
        "info": runtime.known_info(),
        "stats": runtime.stats(),
        "notice": runtime.notice,
        "site_url": settings.SITE_URL,
        "max_characters": settings.MAX_INPUT_CHARACTERS,
    }
    return render(request, "portal/home.html", context)
