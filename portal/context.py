"""What every page's frame shows: the menu, the accounts one may act for, language and theme."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.current import known_membership, memberships_of
from portal.nav import MENU
from portal.preferences import profile_of
from speech.operations import Notice


def portal(request: HttpRequest) -> dict[str, Any]:
    """Where it asks the database lazy, and once a page: JSON and files of the admin need none of
    it, and templates call anew wherever they name it."""
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "languages": settings.LANGUAGES,
        "version": settings.VERSION,
        "single_sign_on": settings.SINGLE_SIGN_ON,
        "sign_up": settings.SIGN_UP,
    }
    if user is None:
        return context
    context["profile"] = profile_of(request)
    context["notices"] = cache(lambda: Notice.objects.current()[:3])
    if user.is_authenticated:
        context |= {
            "menu": MENU,
            "membership": cache(partial(known_membership, request)),
            "memberships": cache(partial(memberships_of, user)),
        }
    return context
