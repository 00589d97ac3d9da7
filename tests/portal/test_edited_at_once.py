"""Two who change the same thing at once, or one in two tabs: nothing of the first is lost, and the
second is told, sees what is there now, and keeps what they wrote elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import ApiKey, AuditEntry, Membership, Profile
from tests.forms import seen_on, send
from tests.longform.conftest import make_job  # noqa: F401  # pytest finds it here
from tests.portal.conftest import browser_of

TOLD = "This was changed meanwhile, and is shown as it is now. Please look again."


@pytest.fixture
def at_owner(at_bob, bob, account):
    """Bob's browser; he owns Alice's account as well, and acts for it."""
    account.memberships.filter(user=bob).update(role=Membership.Role.OWNER)
    at_bob.post("/account/choose/", {"account": account.pk})
    return at_bob


@pytest.fixture
def key_page(api_key):
    return f"/keys/{api_key.public_id}/"


def key_form(page, browser, **changes):
    """As it was opened, with what is going to be changed."""
    return {"name": "website", "scopes": ["speech"], "seen": seen_on(browser, page), **changes}


@pytest.fixture
def opened_twice(api_key, key_page, at_alice, at_owner):
    ApiKey.objects.update(name="website", scopes=["speech"])
    return key_form(key_page, at_alice), key_form(key_page, at_owner)


def test_the_limits_that_one_gave_a_key_are_not_taken_by_another(
    api_key, key_page, at_alice, at_owner, opened_twice
):
    first, second = opened_twice
    assert at_alice.post(key_page, first | {"monthly_characters": "5000"}).status_code == 302
    answer = at_owner.post(key_page, second | {"name": "shop", "monthly_characters": "1"})
    assert answer.status_code == 400
    form = answer.context["form"]
    assert form.errors == {"monthly_characters": [TOLD]}
    assert (form["monthly_characters"].value(), form["name"].value()) == (5000, "shop")
    key = ApiKey.objects.get()
    assert (key.name, key.monthly_characters) == ("website", 5000)
    assert AuditEntry.objects.filter(action="apikey.change").count() == 1


def test_who_was_told_looks_again_and_saves(key_page, at_alice, at_owner, opened_twice):
    first, second = opened_twice
    at_alice.post(key_page, first | {"monthly_characters": "5000"})
    form = at_owner.post(key_page, second | {"name": "shop"}).context["form"]
    again = {"name": "shop", "scopes": ["speech"], "monthly_characters": "5000"}
    answer = at_owner.post(key_page, again | {"seen": form["seen"].value()})
    assert answer.status_code == 302
    key = ApiKey.objects.get()
    assert (key.name, key.monthly_characters) == ("shop", 5000)


def test_what_no_form_shows_disturbs_none(api_key, key_page, at_alice, opened_twice):
    api_key.touch()
    assert at_alice.post(key_page, opened_twice[0]).status_code == 302
    assert ApiKey.objects.get().last_used_at


@pytest.mark.parametrize("seen", ["", "forged", "e30:1:x"])
def test_a_form_that_does_not_say_what_it_showed_writes_nothing(
    key_page, at_alice, opened_twice, seen
):
    answer = at_alice.post(key_page, opened_twice[0] | {"name": "x", "seen": seen})
    assert "This form is too old" in answer.content.decode()
    assert ApiKey.objects.get().name == "website"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_in_one_moment_one_is_told(alice, key_page, at_alice, opened_twice):
    together = Barrier(2)

    def save(name):
        browser = browser_of(alice)
        together.wait(10)
        try:
            return browser.post(key_page, opened_twice[0] | {"name": name}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, ["one", "other"])) == [302, 400]


def test_the_words_of_one_about_a_voice_are_not_taken_by_another(voice, at_alice, at_owner):
    page = f"/voices/{voice.public_id}/"
    about = {"name": "Alice reads", "description": "", "language": "", "tags": ""}
    opened = about | {"seen": seen_on(at_owner, page)}
    send(at_alice, page, about | {"description": "Slow and warm", "tags": "warm"})
    form = at_owner.post(page, opened | {"language": "en"}).context["form"]
    assert form.errors == {"description": [TOLD], "tags": [TOLD]}
    assert (form["description"].value(), form["language"].value()) == ("Slow and warm", "en")
    voice.refresh_from_db()
    assert (voice.description, voice.language) == ("Slow and warm", "")


def test_a_voice_that_one_has_just_made_private_is_not_shared_by_another(voice, at_alice, at_owner):
    page, to = f"/voices/{voice.public_id}/", f"/voices/{voice.public_id}/share/"
    send(at_alice, page, {"visibility": "public", "accounts": ""}, to)
    opened = {"visibility": "public", "accounts": "", "seen": seen_on(at_owner, page, to)}
    send(at_alice, page, {"visibility": "private", "accounts": ""}, to)
    assert TOLD in at_owner.post(to, opened, follow=True).content.decode()
    voice.refresh_from_db()
    assert voice.visibility == "private"


def test_what_an_account_keeps_is_not_lengthened_by_who_has_not_seen_the_rule(
    account, at_alice, at_owner
):
    page, to = "/account/team/", "/account/team/rules/"
    opened = {"history": "", "history_days": "", "seen": seen_on(at_owner, page, to)}
    send(at_alice, page, {"history": "off", "history_days": ""}, to)
    answer = at_owner.post(to, opened | {"history": "audio", "default_voice": "nova"})
    assert answer.context["rules"].errors == {"history": [TOLD]}
    account.refresh_from_db()
    assert (account.history, account.default_voice) == ("off", "")


def test_the_voices_that_one_gave_a_draft_are_not_taken_by_another(
    make_job,  # noqa: F811
    at_alice,
    at_owner,
):
    draft = make_job("One text.", start=False)
    page, to = (reverse(name, args=[draft.public_id]) for name in ("job-detail", "job-cast"))
    opened = {"voice": "nova", "start": "1", "seen": seen_on(at_owner, page, to)}
    send(at_alice, page, {"voice": "echo"}, to)
    assert TOLD in at_owner.post(to, opened, follow=True).content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.voice) == ("draft", "echo")


def test_what_one_prefers_in_one_tab_is_not_undone_by_another(alice, at_alice):
    page, form = "/account/profile/", {"theme": "auto", "default_format": "mp3"}
    send(at_alice, page, form)
    other_tab = form | {"seen": seen_on(at_alice, page)}
    send(at_alice, page, form | {"theme": "dark"})
    answer = at_alice.post(page, other_tab | {"time_zone": "Asia/Taipei"})
    assert answer.context["form"].errors == {"theme": [TOLD]}
    profile = Profile.objects.get(user=alice)
    assert (profile.theme, profile.time_zone) == ("dark", "")
