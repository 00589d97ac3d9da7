"""Every page of voices at the admin that has an id: not for strangers, nor for staff who were not
given it, whether there is such a row or not."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLResolver

from tests.voices.archives import honest
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from voices.imports import begin
from voices.models import Voice, VoiceImport, VoiceReport

PLACES = ("voice", "voiceconsent", "voicereport", "voiceimport")


def walk(patterns, before=""):
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, path)
        elif "<" in path:
            yield path


ROUTES = [path for path in walk(admin.site.get_urls()) if path.startswith("voices/")]


@pytest.fixture
def rows(account, origin, charlies, voice, consent):
    """A row of every kind, by the name of its page."""
    return {
        "voice": voice.pk,
        "voiceconsent": consent.pk,
        "voicereport": VoiceReport.file(voice, charlies, "Mine!", origin.actor).pk,
        "voiceimport": begin(account, honest("A"), origin, "They all agree, I am sure.").pk,
    }


def url(route, pk):
    return "/admin/" + re.sub(r"<[^>]*>", str(pk), route)


def test_every_page_is_in_the_matrix():
    assert {route.split("/")[1] for route in ROUTES} <= {*PLACES, "(?P<url>.*)$"}
    for verb in ("listen", "erase", "transfer", "approve", "withdraw", "cancel", "report"):
        assert any(f"/{verb}/" in route for route in ROUTES), verb


@pytest.mark.parametrize("route", [route for route in ROUTES if "/audio/" not in route])
def test_it_is_for_nobody_who_was_not_given_it(staff, rows, route):
    clerk, anonymous = staff(), Client()
    place = route.split("/")[1]
    form = {"reason": "Because I want to", "account": 1, "post": "yes"}
    for ask in ("get", "post"):
        there = getattr(clerk, ask)(url(route, rows[place]), form)
        nowhere = getattr(clerk, ask)(url(route, 999_999), form)
        assert there.status_code == nowhere.status_code
        assert there.status_code in (302, 403), there.status_code
        if there.status_code == 302:  # the short form of a page's address, the same for all
            assert re.fullmatch(r"/admin/voices/\w+/\d+/change/", there["location"])
        sent = getattr(anonymous, ask)(url(route, rows[place]), form)
        assert sent.status_code == 302
        assert sent["location"].startswith(("/admin/login/", "/admin/voices/"))
    assert Voice.objects.owned().get().state == "ready"
    assert VoiceImport.objects.get().state == "waiting"


def test_a_link_to_a_recording_is_no_key(staff, voice):
    for client in (staff("view_voice", "listen_voice"), Client()):
        answer = client.get(f"/admin/voices/voice/audio/{voice.sample.object_key}/")
        assert answer.status_code in (302, 404)
