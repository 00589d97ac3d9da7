"""Any number in any URL is one that the database can look for, or there is nothing at the URL."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.urls import URLPattern, get_resolver
from django.urls.converters import IntConverter

HUGE = "9" * 30


def routes_with_numbers(resolver, before=()):
    for pattern in resolver.url_patterns:
        parts = (*before, pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from routes_with_numbers(pattern, parts)
        elif any(
            isinstance(one, IntConverter) for part in parts for one in part.converters.values()
        ):
            yield "/" + "".join(str(part) for part in parts)


def filled(route):
    """Each number of it huge, anything else a word."""
    pieces = []
    for piece in route.replace(">", "<").split("<"):
        kind, colon, _ = piece.partition(":")
        huge = kind in ("int", "number")
        pieces.append(HUGE if colon and huge else "word" if colon else piece)
    return "".join(pieces)


ROUTES = sorted(set(routes_with_numbers(get_resolver())))


def test_there_are_such_routes():
    assert "/history/<number:pk>/audio/" in ROUTES
    assert "/api/jobs/<str:name>/segments/<number:index>" in ROUTES


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_number_that_is_too_long_is_nothing(admin_user, method):
    browser = AsyncClient(raise_request_exception=False)
    browser.force_login(admin_user)
    ask = async_to_sync(getattr(browser, method))
    answers = {route: ask(filled(route)).status_code for route in ROUTES}
    assert answers == dict.fromkeys(ROUTES, 404)
