"""API keys in the portal: shown once, limited, rotated, revoked; owners make them, members look."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import ApiKey, AuditEntry
from tests.forms import send
from tests.portal.conftest import browser_of

GIVEN = {"name": "player", "scopes": ["speech"], "requests_per_minute": "30"}


def ticket_of(page):
    return re.search(r'name="ticket" value="([^"]+)"', page.content.decode())[1]


def create(browser, **changes):
    ticket = ticket_of(browser.get("/keys/new/"))
    return browser.post("/keys/new/", {**GIVEN, "ticket": ticket, **changes})


def test_a_key_is_shown_once_and_opens(at_alice, account):
    answer = create(at_alice, allowed_networks="192.0.2.0/24\n", monthly_characters="5000")
    raw = re.search(r"vox_\w+_\w+", answer.content.decode())[0]
    key = ApiKey.objects.for_key(raw)
    assert (key.account_id, key.name, key.scopes) == (account.pk, "player", ["speech"])
    assert (key.requests_per_minute, key.allowed_networks) == (30, ["192.0.2.0/24"])
    assert "no-store" in answer.headers["cache-control"]
    assert raw not in at_alice.get("/keys/").content.decode()
    assert AuditEntry.objects.filter(action="apikey.issue", actor_name="alice").exists()


def test_a_form_that_is_sent_twice_makes_one_key(at_alice):
    form = {**GIVEN, "ticket": ticket_of(at_alice.get("/keys/new/"))}
    assert at_alice.post("/keys/new/", form).status_code == 200
    assert at_alice.post("/keys/new/", form).headers["location"] == "/keys/"
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_so_does_one_that_is_sent_twice_at_once(alice, at_alice):
    form = {**GIVEN, "ticket": ticket_of(at_alice.get("/keys/new/"))}
    together = Barrier(2)

    def send(browser):
        together.wait()
        try:
            return browser.post("/keys/new/", form).content.decode()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        shown = list(pool.map(send, [browser_of(alice), browser_of(alice)]))
    assert ApiKey.objects.count() == 1
    assert sum("vox_" in page for page in shown) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["engine"]},
        {"scopes": []},
        {"allowed_networks": "nowhere"},
        {"allowed_networks": "10.0.0.1/8"},
        {"allowed_voices": "nova\x00"},
        {"allowed_models": "x" * 201},
        {"allowed_voices": "nova\n" * 501},
        {"expires_at": "2020-01-01T00:00"},
        {"ticket": "forged"},
        {"monthly_characters": "-1"},
        {"name": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_field_makes_no_key(at_alice, account, wrong):
    assert create(at_alice, **wrong).status_code == 400
    assert not ApiKey.objects.exists()


def test_a_key_is_changed_and_the_log_tells_what(at_alice, api_key):
    form = {"name": "renamed", "scopes": ["speech", "voices"], "parallel_streams": "2"}
    assert send(at_alice, f"/keys/{api_key.public_id}/", form).status_code == 302
    api_key.refresh_from_db()
    assert (api_key.name, api_key.parallel_streams) == ("renamed", 2)
    assert '"parallel_streams":[null,2]' in AuditEntry.objects.get(action="apikey.change").details


def test_what_an_operator_gave_stays(at_alice, api_key):
    ApiKey.objects.update(scopes=["speech", "metrics"])
    send(at_alice, f"/keys/{api_key.public_id}/", {"name": "n", "scopes": ["voices"]})
    api_key.refresh_from_db()
    assert api_key.scopes == ["voices", "metrics"]


def test_a_rotated_key_and_its_successor_both_open_for_a_while(at_alice, api_key, raw_key):
    answer = at_alice.post(f"/keys/{api_key.public_id}/rotate/", {"grace": "1"})
    raw = re.search(r"vox_\w+_\w+", answer.content.decode())[0]
    assert ApiKey.objects.for_key(raw).first_id == api_key.pk
    assert ApiKey.objects.for_key(raw_key)
    again = at_alice.post(f"/keys/{api_key.public_id}/rotate/", {"grace": "1"})
    assert again.headers["location"] == "/keys/"


def test_a_revoked_key_opens_nothing(at_alice, api_key):
    at_alice.post(f"/keys/{api_key.public_id}/revoke/")
    api_key.refresh_from_db()
    assert api_key.revoked_at <= timezone.now()
    assert at_alice.post(f"/keys/{api_key.public_id}/revoke/").status_code == 404


def test_members_look_and_make_none(at_bob, account, api_key):
    at_bob.post("/account/choose/", {"account": account.pk})
    assert api_key.name.encode() in at_bob.get("/keys/").content.replace(b"&#x27;", b"'")
    for path in ("new/", f"{api_key.public_id}/"):
        assert at_bob.get(f"/keys/{path}").status_code == 403
    assert at_bob.post(f"/keys/{api_key.public_id}/revoke/").status_code == 403


def test_strangers_find_none(at_charlie, api_key):
    assert api_key.public_id.encode() not in at_charlie.get("/keys/").content
    for path in ("", "rotate/", "revoke/"):
        answer = at_charlie.post(f"/keys/{api_key.public_id}/{path}", {"grace": "1"})
        assert answer.status_code == 404
