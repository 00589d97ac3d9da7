"""The frame of every page: whose account, which menu, which language and theme."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership, Profile
from portal import nav


def test_the_first_page_is_public_and_sets_no_cookie(client, db):
    response = client.get("/")
    assert response.status_code == 200
    assert not response.cookies
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_no_page_holds_a_script_or_a_style_of_its_own(client, at_alice):
    for browser in (client, at_alice):
        for path in ("/", "/account/login/", "/account/email/", "/nowhere"):
            text = browser.get(path, follow=True).content.decode()
            assert "<style" not in text and " style=" not in text
            assert " onclick=" not in text and "<script>" not in text


def test_the_icon_that_browsers_ask_for_brings_no_cookie(at_alice):
    answer = at_alice.get("/favicon.ico")
    assert answer.status_code == 302 and answer.url.endswith(".svg")
    assert "csrftoken" not in answer.cookies


def test_it_is_asked_once_whom_somebody_acts_for(admin_client, at_alice):
    """Also where it is for nobody yet."""
    for browser, path in ((at_alice, "/studio/"), (admin_client, "/nowhere")):
        with CaptureQueriesContext(connection) as queries:
            assert b"</html>" in browser.get(path).content
        asked = [query["sql"] for query in queries if 'FROM "accounts_membership"' in query["sql"]]
        assert len(asked) == len(set(asked)) > 0


def test_the_menu_names_pages_that_exist(at_alice):
    for item in nav.MENU:
        assert at_alice.get(item.url).status_code == 200


def test_it_acts_for_the_account_that_was_chosen(at_bob, bob, account):
    assert b"Act for" in at_bob.get("/account/email/").content
    response = at_bob.post("/account/choose/", {"account": account.pk})
    assert response.status_code == 302
    page = at_bob.get("/account/email/")
    assert page.context["membership"]().account == account


@pytest.mark.parametrize("chosen", ["", "0", "-1", "1e9", "NaN", "²", "9" * 30])
def test_an_account_that_is_not_there_cannot_be_chosen(at_bob, chosen):
    assert at_bob.post("/account/choose/", {"account": chosen}).status_code == 404


def test_a_strangers_account_is_one_that_is_not_there(at_charlie, account):
    assert at_charlie.post("/account/choose/", {"account": account.pk}).status_code == 404


def test_who_is_taken_out_of_an_account_is_back_in_their_own(at_bob, bob, account):
    at_bob.post("/account/choose/", {"account": account.pk})
    Membership.objects.filter(user=bob, account=account).delete()
    page = at_bob.get("/account/email/")
    assert page.context["membership"]().account == Account.objects.for_user(bob)


def test_an_account_that_is_switched_off_is_not_offered(at_bob, bob, account):
    at_bob.post("/account/choose/", {"account": account.pk})
    Account.objects.filter(pk=account.pk).update(is_active=False)
    page = at_bob.get("/account/email/")
    assert page.context["membership"]().account != account


def test_a_persons_language_follows_them(at_alice, alice):
    response = at_alice.post("/preferences/", {"language": "ja", "next": "/account/email/"})
    assert response.headers["location"] == "/account/email/"
    assert Profile.objects.get(user=alice).language == "ja"
    at_alice.cookies.pop("django_language")
    assert b'<html lang="ja"' in at_alice.get("/account/email/").content


def test_who_is_not_signed_in_has_a_theme_too(client, db):
    client.post("/preferences/", {"theme": "dark"})
    assert b'data-theme="dark"' in client.get("/").content


@pytest.mark.parametrize(
    "wrong", [{}, {"theme": "pink"}, {"language": "xx"}, {"theme": "dark", "language": ""}]
)
def test_it_keeps_nothing_else(at_alice, wrong):
    assert at_alice.post("/preferences/", wrong).status_code == 400
    assert not Profile.objects.exists()


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "javascript:alert(1)"])
def test_it_stays_on_the_site(at_alice, path):
    response = at_alice.post("/preferences/", {"theme": "dark", "next": path})
    assert response.headers["location"] == "/"


def test_what_is_typed_without_a_slash_finds_its_way(client):
    assert client.get("/account").headers["location"] == "/account/"


def test_the_docs_know_who_reads_them(client, at_alice):
    assert "account/logout" not in client.get("/docs").content.decode()
    mine = at_alice.get("/docs")
    assert 'class="frame"' in mine.content.decode()
    assert nav.MENU[0].url in mine.content.decode()
    assert at_alice.get("/schema.json").status_code == 200
