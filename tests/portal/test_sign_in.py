"""One door for the portal and the admin: password, second factor, sessions, single sign-on."""

from __future__ import annotations

import re
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import hotp_value
from django.core import mail
from django.test import AsyncClient, Client

from accounts.models import Account, AuditEntry

PASSWORD = "alice's password"


def sign_up(browser, name):
    form = {"email": f"{name}@example.com", "username": name}
    return browser.post("/account/signup/", {**form, "password1": PASSWORD, "password2": PASSWORD})


def sign_in(browser, login="alice", **form):
    return browser.post("/account/login/", {"login": login, "password": PASSWORD, **form})


@pytest.mark.parametrize("login", ["alice", "alice@example.com"])
def test_a_name_or_an_address_opens(alice, login):
    browser = Client()
    assert sign_in(browser, login).headers["location"] == "/"
    assert browser.get("/keys/").status_code == 200


def test_whoever_comes_in_has_an_account(charlie):
    browser = Client()
    browser.post("/account/login/", {"login": "charlie", "password": "charlie's password"})
    assert Account.objects.get(personal_of=charlie).memberships.get().role == "owner"


def test_a_page_that_was_asked_for_comes_after(alice):
    browser = Client()
    where = browser.get("/keys/").headers["location"]
    assert where == "/account/login/?next=/keys/"
    assert sign_in(browser, next="/keys/").headers["location"] == "/keys/"


@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_a_wrong_password_says_the_same_of_everybody(alice, login):
    answer = Client().post("/account/login/", {"login": login, "password": "wrong"})
    assert answer.context["form"].non_field_errors() == [
        "The username and/or password you specified are not correct."
    ]


def test_guessing_is_slowed_down(alice):
    browser = Client()
    for _ in range(5):
        browser.post("/account/login/", {"login": "alice", "password": "wrong"})
    answer = sign_in(browser)
    assert answer.status_code == 200
    assert "Too many" in str(answer.context["form"].non_field_errors())


def test_a_forgotten_password_is_set_anew_by_mail(alice):
    browser = Client()
    browser.post("/account/password/reset/", {"email": "alice@example.com"})
    link = re.search(r"https?://[^/]+(/account/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form = browser.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    new = "quite another word"
    browser.post(where, {"password1": new, "password2": new})
    assert browser.post("/account/login/", {"login": "alice", "password": new}).status_code == 302
    assert AuditEntry.objects.filter(action="user.password", actor_name="alice").exists()


def test_nobody_learns_by_a_reset_who_is_here(db):
    answer = Client().post("/account/password/reset/", {"email": "nobody@example.com"})
    assert answer.headers["location"] == "/account/password/reset/done/"


def code_for(secret):
    counter = int(time.time()) // 30
    return f"{hotp_value(secret, counter):06}"


@pytest.fixture
def with_second_factor(at_alice, django_capture_on_commit_callbacks):
    """Alice turned it on in her settings; the secret of her app."""
    at_alice.post("/account/reauthenticate/", {"password": PASSWORD})
    page = at_alice.get("/account/2fa/totp/activate/")
    assert '<img class="qr" src="data:image/svg' in page.content.decode()  # on white in any theme
    secret = page.context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        answer = at_alice.post("/account/2fa/totp/activate/", {"code": code_for(secret)})
    assert answer.status_code == 302
    return secret


def test_a_second_factor_stands_before_every_page(with_second_factor, alice):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    browser = Client()
    assert sign_in(browser).headers["location"].startswith("/account/2fa/authenticate/")
    for page in ("/keys/", "/admin/"):
        assert browser.get(page).status_code == 302
    assert browser.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert AuditEntry.objects.filter(action="user.second_factor.add").exists()


def test_a_recovery_code_opens_once(with_second_factor, at_alice):
    codes = at_alice.get("/account/2fa/recovery-codes/").context["unused_codes"]
    first = Client()
    sign_in(first)
    assert first.post("/account/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert first.get("/keys/").status_code == 200
    again = Client()
    sign_in(again)
    assert again.post("/account/2fa/authenticate/", {"code": codes[0]}).status_code == 200


def test_other_sessions_are_seen_and_ended(alice):
    here, elsewhere = Client(), Client()
    sign_in(here)
    sign_in(elsewhere)
    assert len(here.get("/account/sessions/").context["sessions"]) == 2
    here.post("/account/sessions/")
    assert here.get("/keys/").status_code == 200
    assert elsewhere.get("/keys/").status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_a_browsers_api_acts_for_the_chosen_account(bob, account):
    account.monthly_characters = 777
    await account.asave()
    browser = AsyncClient()
    await browser.aforce_login(bob)
    await browser.post("/account/choose/", {"account": account.pk})
    used = (await browser.get("/api/usage")).json()
    assert used["account"]["characters"]["limit"] == 777


def test_an_address_is_verified_first_where_that_is_asked_for(db, settings):
    settings.SIGN_UP, settings.ACCOUNT_EMAIL_VERIFICATION = "open", "mandatory"
    browser = Client()
    sign_up(browser, "dora")
    assert browser.get("/keys/").status_code == 302
    assert sign_in(browser, "dora").headers["location"] == "/account/confirm-email/"
    link = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", mail.outbox[0].body)[1]
    assert not EmailAddress.objects.get().verified
    browser.post(link)
    assert EmailAddress.objects.get().verified
    sign_in(browser, "dora")
    assert browser.get("/keys/").status_code == 200


def test_an_address_is_not_asked_for_its_proof_where_that_is_not(db, settings):
    settings.SIGN_UP, settings.ACCOUNT_EMAIL_VERIFICATION = "open", "none"
    browser = Client()
    sign_up(browser, "dora")
    assert browser.get("/keys/").status_code == 200
    assert not mail.outbox


def test_single_sign_on_has_its_button(client, db, settings):
    assert b"Company login" not in client.get("/account/login/").content
    app = {"provider_id": "sso", "name": "Company login", "client_id": "vox", "secret": "s"}
    app["settings"] = {"server_url": "https://id.example.com"}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.SINGLE_SIGN_ON = True
    page = client.get("/account/login/").content.decode()
    assert "Company login" in page
    assert "/account/oidc/sso/login/" in page
