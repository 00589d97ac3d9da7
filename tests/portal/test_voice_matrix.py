"""Every page with a voice in its address: to strangers, to staff and to members who act for another
account it is what is seen where there is none; who is not signed in is asked to be."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from portal.urls import urlpatterns
from tests.portal.conftest import browser_of
from voices.models import Voice

ROUTES = [
    str(pattern.pattern)
    for pattern in urlpatterns
    if str(pattern.pattern).startswith("voices/<slug:public_id>")
]
NOWHERE = "voice_" + "0" * 24
FORM = {"reason": "It is mine.", "name": "Mine", "visibility": "public", "accounts": "charlie"}


def ask(client, method, route, voice_id):
    url = "/" + route.replace("<slug:public_id>", voice_id).replace("<number:version>", "1")
    answer = getattr(client, method)(url, FORM)
    # What each page draws anew.
    words = re.sub(r'(nonce|value|token"?)[=:] ?"[^"]*"', "", answer.content.decode())
    return answer.status_code, words.replace(voice_id, "")


def test_it_walks_every_page():
    assert len(ROUTES) >= 6


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", ROUTES)
def test_nobody_else_is_told_that_it_is_there(voice, at_bob, at_charlie, method, route):
    """Bob is a member of Alice's account, and acts for his own."""
    at_clerk = browser_of(User.objects.create_user("clerk", is_staff=True))
    at_admin = browser_of(User.objects.create_user("boss", is_staff=True, is_superuser=True))
    for browser in (at_charlie, at_bob, at_clerk, at_admin):
        there, nowhere = (ask(browser, method, route, each) for each in (voice.public_id, NOWHERE))
        assert there == nowhere
        assert there[0] in (404, 405)
    assert ask(Client(), method, route, voice.public_id) in [
        ask(Client(), method, route, NOWHERE),
        (405, ""),
    ]
    voice.refresh_from_db()
    assert (voice.name, voice.state, voice.visibility) == ("Alice reads", "ready", "private")
    assert Voice.objects.owned().count() == 1
