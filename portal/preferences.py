"""A person's language, time zone and theme, for every page they see.

What they chose stands in their profile; who is not signed in has cookies, or what the browser asks
for.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation

from accounts.models import Profile
from accounts.profiles import time_zones

THEME_COOKIE = "theme"
TIME_ZONE_COOKIE = "timezone"
_YEAR = 365 * 24 * 3600


class PreferencesMiddleware(LocaleMiddleware):
    """Django's, and the person's own word before the browser's."""

    def process_request(self, request: HttpRequest) -> None:
        profile = profile_of(request)
        if profile.language:
            translation.activate(profile.language)
            request.LANGUAGE_CODE = translation.get_language()
        else:
            super().process_request(request)
        zone = profile.time_zone or request.COOKIES.get(TIME_ZONE_COOKIE, "")
        if zone in time_zones():
            timezone.activate(zone)
        else:
            timezone.deactivate()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        answer: HttpResponseBase = super().process_response(request, response)
        timezone.deactivate()
        return answer


def profile_of(request: HttpRequest) -> Profile:
    """Asked for once a request. Nobody in particular has a profile of cookies."""
    known: Profile | None = getattr(request, "_profile", None)
    if known is None:
        if request.user.is_authenticated:
            known = Profile.of(request.user)
        else:
            theme = request.COOKIES.get(THEME_COOKIE, "")
            known = Profile(theme=theme if theme in Profile.Theme.values else Profile.Theme.AUTO)
        request._profile = known  # type: ignore[attr-defined]
    return known


def prefer(request: HttpRequest, response: HttpResponse, **chosen: str) -> None:
    """Keep checked choices of ``language`` and ``theme``: in the profile, and for who signs out
    also in this browser."""
    cookies = {"language": settings.LANGUAGE_COOKIE_NAME, "theme": THEME_COOKIE}
    for name, value in chosen.items():
        response.set_cookie(
            cookies[name],
            value,
            max_age=_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    if request.user.is_authenticated:
        Profile.objects.update_or_create(user=request.user, defaults=chosen)
