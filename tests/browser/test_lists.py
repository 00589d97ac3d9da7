"""Every list of the portal says when there is nothing in it, when it is being loaded, and when it
could not be, with a way to try again. The pages are walked, so that no list is forgotten."""

from __future__ import annotations

import json
import re
import shutil
import time

import pytest
from django.urls import URLPattern
from playwright.sync_api import expect

from portal.urls import urlpatterns
from tests.browser.conftest import assert_accessible
from tests.live import LiveServer, manage
from tests.voices.recordings import clip

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Where it is, which one it is there, and what it says when there is nothing; None where there is
# always something.
LISTS = {
    "voices": ("/voices/?group=own", "voice-cards", "No voice of your own yet"),
    "versions of a voice": ("{voice}", "versions", None),
    "long texts": ("/jobs/", "jobs", "No long text yet"),
    "pieces of a long text": ("{job}", "segments", None),
    "files of a long text": ("{job}", "files", None),
    "history": ("/history/", "found", "Nothing yet"),
    "usage": ("/usage/", "usage", "Nothing was spoken in these days"),
    "keys": ("/keys/", "keys", "No key yet"),
    "members": ("/account/team/", "members", None),
    "invitations": ("/account/team/", "invitations", "Nobody is invited"),
    "addresses": ("/account/email/", "addresses", None),
    "sessions": ("/account/sessions/", "sessions", None),
}
# The takes of the studio are not loaded: the page itself makes them.
HELD = "main :is(table, ol:not(#takes), .said, .voice-card, .files, [name=email][type=radio])"
FAILURES = {
    lambda route: route.fulfill(status=500, body="No."): "The server could not do this",
    lambda route: route.abort("internetdisconnected"): "The server cannot be reached",
}
THINGS = """
import json
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.conf import settings
from accounts.audit import Actor
from accounts.models import Account, ApiKey, Invitation
sessions = {}
for name in ("rich", "poor"):
    user = User.objects.create_user(name, name + "@example.com")
    account = Account.objects.for_user(user)
    session = SessionStore()
    session.update({SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
                    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]})
    session.save()
    sessions[name] = session.session_key
    if name == "rich":
        ApiKey.issue(account, "a key", created_by=user)
        Invitation.send(account.pk, "friend@example.com", "member", user, Actor("user", "rich"))
print(json.dumps(sessions))
"""


@pytest.fixture(scope="module")
def own_dir(site_dir, tmp_path_factory):
    return shutil.copytree(site_dir, tmp_path_factory.mktemp("lists") / "data")


@pytest.fixture(scope="module")
def sessions(own_dir):
    """Of one who has something of everything, and of one who has nothing yet."""
    return json.loads(manage(own_dir, "shell", "-c", THINGS).splitlines()[-1])


@pytest.fixture(scope="module")
def site(own_dir, sessions):
    with LiveServer(own_dir, {"REQUIRE_CONSENT": "off", "VOICE_CHECKS": "report"}) as server:
        yield server


@pytest.fixture(scope="module")
def places(site, browser, sessions):
    """What the rich one has besides, by their pages: a voice, a long text, something spoken."""
    context = browser.new_context(base_url=site.url)
    context.add_cookies([{"url": site.url, "name": "sessionid", "value": sessions["rich"]}])
    token = re.search(r'"x-csrftoken": "(\w+)"', context.request.get("/voices/").text())[1]

    def send(path, **body):
        answer = context.request.post(path, headers={"x-csrftoken": token}, **body)
        assert answer.ok, answer.text()
        return answer

    recording = {"name": "x.wav", "mimeType": "audio/wav", "buffer": clip("wav")}
    voice = send("/api/voices", multipart={"name": "Mine", "audio_sample": recording}).json()["id"]
    job = send("/api/jobs", data={"input": "A word.", "outputs": [{"format": "mp3"}]}).json()["id"]
    while context.request.get(f"/api/jobs/{job}").text().count('"ready"') < 1:
        time.sleep(0.1)
    send("/api/speech", data={"input": "A word.", "voice": "nova"})
    context.close()
    return {"voice": f"/voices/{voice}/", "job": f"/jobs/{job}/"}


@pytest.fixture(params=LISTS)
def wanted(request, places):
    path, name, nothing = LISTS[request.param]
    return path.format(**places), f"#{name}", nothing


def look_again(page):
    """As somebody does who comes back to the tab."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.fixture
def every_page(open_as, places):
    """One page after the other of those that there are; what is no page is left out."""

    def walk():
        paths = [
            f"/{one.pattern}"
            for one in urlpatterns
            if isinstance(one, URLPattern) and "<" not in str(one.pattern) and one.name
        ]
        page = open_as("rich")
        for path in [*paths, *places.values(), "/account/email/", "/account/sessions/"]:
            answer = page.request.get(path)
            if answer.status == 200 and "text/html" in answer.headers["content-type"]:
                page.goto(path)
                yield page

    return walk()


def test_no_list_is_forgotten(every_page):
    outside = f"[...document.querySelectorAll({HELD!r})].filter(e => !e.closest('[data-list]'))"
    found = set()
    for page in every_page:
        assert page.evaluate(f"{outside}.map(e => e.outerHTML)") == [], page.url
        found |= set(page.evaluate("[...document.querySelectorAll('[data-list]')].map(e => e.id)"))
    assert found == {name for _, name, _ in LISTS.values()}


def test_who_has_nothing_yet_is_told_so(open_as, wanted):
    path, name, nothing = wanted
    page = open_as("rich", path)
    expect(page.locator(f"{name} .empty")).to_have_count(0)
    if nothing:
        page = open_as("poor", path)
        expect(page.locator(f"{name} .empty h2")).to_have_text(nothing)


def test_while_it_is_loaded_it_says_so_and_then_shows_the_present(open_as, wanted):
    path, name, _ = wanted
    page, held, is_open = open_as("rich", path), [], []
    there = page.locator(name)
    page.evaluate("name => document.querySelector(name).append('of the past')", name)
    page.route("**/*", lambda route: route.continue_() if is_open else held.append(route))
    look_again(page)
    expect(there).to_have_attribute("aria-busy", "true")
    page.wait_for_function(
        "name => getComputedStyle(document.querySelector(name), '::before').height === '3px'",
        arg=name,
    )
    is_open.append(True)  # whatever comes from now on is let through
    for route in held:
        route.continue_()
    expect(there).not_to_have_attribute("aria-busy", "true")
    expect(there).not_to_contain_text("of the past")
    assert page.complaints == []


def test_when_it_could_not_be_loaded_it_says_so_and_is_asked_for_again(open_as, wanted):
    path, name, _ = wanted
    page = open_as("rich", path)
    first_word = page.locator(name).inner_text().split()[0]
    told = page.locator(f"{name} > .list-failed[role=alert]")
    for fail, sentence in FAILURES.items():
        page.route("**/*", fail)
        look_again(page)
        expect(told).to_contain_text(sentence)
        expect(page.locator(name)).to_contain_text(first_word)
        told.get_by_role("button").click()  # still not
        expect(told).to_have_count(1)
        page.unroute("**/*")
        told.get_by_role("button").click()
        expect(told).to_have_count(0)
        expect(page.locator(name)).to_contain_text(first_word)


def test_a_search_that_fails_is_asked_for_again(open_as, places):
    page = open_as("rich", "/voices/")
    page.route("**/voices/?*", lambda route: route.fulfill(status=500))
    page.fill("#q", "storyteller")
    told = page.locator(".list-failed")
    expect(told).to_be_visible()
    assert_accessible(page)
    page.unroute("**/voices/?*")
    told.get_by_role("button").click()
    expect(page.locator(".voice-card")).to_have_count(1)
    expect(told).to_have_count(0)
    page.go_back()
    expect(page.locator("h1")).to_have_text("Voices")
    expect(page.locator(".side")).to_have_count(1)


def test_another_span_of_days_is_one_list_too(open_as, places):
    page = open_as("rich", "/usage/")
    page.click("#days-90")
    expect(page.locator("#days-90")).to_have_attribute("aria-current", "true")
    assert page.url.endswith("?days=90")
    assert page.complaints == []


def test_who_is_not_signed_in_any_more_is_led_to_the_door(open_as, places):
    page = open_as("poor", "/keys/")
    page.context.clear_cookies()
    look_again(page)
    page.wait_for_url("**/account/login/?next=/keys/")


def test_nothing_moves_under_somebodys_hands(open_as, places):
    page, asked = open_as("rich", "/keys/"), []
    page.on("request", lambda request: request.resource_type == "xhr" and asked.append(request))
    page.locator("#keys a").first.focus()
    look_again(page)
    page.wait_for_timeout(300)
    assert asked == []
    with page.expect_response("**/keys/"):  # when they are done
        page.locator("#main").focus()


def test_what_is_on_its_way_when_they_come_waits_until_they_are_done(open_as, places):
    page, held, is_open = open_as("rich", "/keys/"), [], []
    there, link = page.locator("#keys"), page.locator("#keys a").first
    page.evaluate("document.querySelector('#keys').append('of the past')")
    page.route("**/*", lambda route: route.continue_() if is_open else held.append(route))
    look_again(page)
    expect(there).to_have_attribute("aria-busy", "true")
    link.focus()
    is_open.append(True)
    for route in held:
        route.continue_()
    expect(there).not_to_have_attribute("aria-busy", "true")
    expect(link).to_be_focused()
    expect(there).to_contain_text("of the past")
    page.locator("#main").focus()
    expect(there).not_to_contain_text("of the past")
    assert page.complaints == []
