"""Capitals begin sentences, and names, alone, and it is e-mail: on the pages that allauth brings as
on ours."""

from __future__ import annotations

import re

import pytest
from django.urls import URLPattern

from portal.urls import urlpatterns

OURS = [
    f"/{one.pattern}"
    for one in urlpatterns
    if isinstance(one, URLPattern) and not re.search("<|^api", str(one.pattern)) and one.name
]
SIGNED_IN = [
    "/account/email/",
    "/account/password/change/",
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/2fa/recovery-codes/generate/",
    "/account/sessions/",
    "/account/reauthenticate/",
    "/account/logout/",
]
SIGNED_OUT = [
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/reset/key/1-x/",
    "/account/confirm-email/",
    "/account/confirm-email/x/",
    "/account/inactive/",
]
SAID = re.compile(
    r"<(h1|h2|h3|th|button|label|legend|caption|title|dt)\b[^>]*>(.*?)</\1>", re.DOTALL
)
SHOUTED = re.compile(r"[a-z] (?!VoxPlatform|OpenAI|I\b)[A-Z][a-z]")
LISTED = re.compile(r"<(option|select|code|pre)\b.*?</\1>", re.DOTALL)


SPELT_OTHERWISE = re.compile(r">[^<>]*\bemail\b[^<>]*<")


def shouted(page):
    text = LISTED.sub("", page.content.decode())
    said = (words for found in SAID.finditer(text) for words in re.split("<[^>]+>", found[2]))
    shouts = [words for words in said if SHOUTED.search(" ".join(words.split()))]
    return shouts + SPELT_OTHERWISE.findall(text)


@pytest.mark.parametrize("path", [*OURS, *SIGNED_IN])
def test_pages_of_who_is_signed_in_shout_nothing(at_alice, path):
    page = at_alice.get(path, follow=True)
    assert page.status_code in (200, 404, 405)
    if page.status_code == 200 and not page.streaming:
        assert shouted(page) == []


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_pages_before_the_door_shout_nothing(client, db, settings, path):
    settings.SIGN_UP = "open"
    page = client.get(path, follow=True)
    assert page.status_code == 200
    assert shouted(page) == []
