"""With the keyboard alone: who comes in, makes a voice, shares it, has a long text spoken, looks
back, makes keys and says how they want it. The focus is always seen, and what happens is read out.

The studio and its voice picker are in ``test_studio.py``, the first page in ``test_home.py``, teams
in ``test_portal_pages.py``.
"""

from __future__ import annotations

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD
from tests.browser.keyboard import SAID, choose, go, press, wait_to_hear, write
from tests.browser.test_voices import browser, microphone  # noqa: F401  # one with a microphone
from tests.live import LiveServer
from tests.voices.recordings import clip

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(200)]
SEED = 2**63 - 1  # more than a number of JavaScript holds


@pytest.fixture(scope="module")
def site(site_dir, key, sessions, tmp_path_factory):
    """Anybody may come in; voices are cloned, designed, and agreed to aloud."""
    own_dir = shutil.copytree(site_dir, tmp_path_factory.mktemp("keyboard") / "data")
    environment = {
        "SIGN_UP": "open",
        "REQUIRE_CONSENT": "recording",
        "VOICE_CHECKS": "report",  # what the engine plays is no speech
        "ENGINE_CONFIG": json.dumps({"speed": 4, "also": ["clone", "design"]}),
    }
    with LiveServer(own_dir, environment) as server:
        yield server


@pytest.fixture
def at(open_as):
    """Ada at a page, or somebody else."""

    def at(path, name="ada"):
        page = open_as(name, "/livez")
        page.add_init_script(SAID)
        page.goto(path)
        page.complaints.clear()  # of the page without an icon, by which we came
        return page

    return at


def test_one_signs_up_out_and_in(open_page):
    page = open_page("/")
    press(page, "a[href^='/account/signup/']")
    page.wait_for_url("**/account/signup/**")
    write(page, "[name=email]", "nell@example.com")
    write(page, "[name=username]", "nell")
    for field in ("password1", "password2"):
        write(page, f"[name={field}]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".side")
    press(page, "[popovertarget=person]")
    press(page, "form[action$='/logout/'] button")
    page.wait_for_selector(".top")
    page.goto("/account/login/?next=/keys/")
    write(page, "[name=login]", "nell")
    write(page, "[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/")
    assert page.complaints == []


def record(page, purpose, until):
    recorder = page.locator(f"[data-purpose={purpose}]")
    press(page, f"[data-purpose={purpose}] .record", "Space")
    wait_to_hear(page, "Recording. Read now.")
    expect(recorder.locator(".clock")).to_have_text(re.compile(f"^{until} "), timeout=30_000)
    page.keyboard.press("Space")
    wait_to_hear(page, "Recorded.")


def upload(page):
    go(page, "#file")
    with page.expect_file_chooser() as asked:
        page.keyboard.press("Space")
    recording = {"name": "reading.wav", "mimeType": "audio/wav", "buffer": clip("wav")}
    asked.value.set_files(recording)
    wait_to_hear(page, "reading.wav")


WAYS = {"record": lambda page: record(page, "voice", "0:0[4-9]"), "upload": upload}


@pytest.mark.parametrize("way", WAYS)
def test_a_voice_is_made_agreed_to_and_shared(at, way):
    page = at("/voices/new/")
    choose(page, "way", way)
    WAYS[way](page)
    write(page, "#name", f"By {way}")
    write(page, "#transcript", "")  # the microphone reads less than that
    page.evaluate("said.length = 0")
    record(page, "consent", "0:1[0-9]")  # as long as its sentence takes
    write(page, "#owner", "Ada Lovelace")
    press(page, "#make")
    page.wait_for_selector(".check, #error:visible")
    assert page.locator("h1").inner_text() == f"By {way}", page.locator("#error").inner_text()
    choose(page, "visibility", "shared")
    write(page, "[name=accounts]", "grace")
    press(page, "form[action$='/share/'] button")
    expect(page.locator("#toasts")).not_to_be_empty()
    assert f"By {way}" in at("/voices/", "grace").inner_text("main")
    press(page, "[commandfor=erase]")
    expect(page.locator("#erase [command=close]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[commandfor=erase]").first).to_be_focused()
    assert page.complaints == []


def test_what_is_missing_is_read_out_and_has_the_focus(at):
    page = at("/voices/new/")
    press(page, "#make")
    wait_to_hear(page, "Record something first.")
    expect(page.locator("[data-purpose=voice] .record")).to_be_focused()


def test_a_voice_is_designed(at):
    page = at("/voices/new/")
    choose(page, "way", "design")
    write(page, "#design-description", "An old man from the coast")
    go(page, "#hear-candidate")
    for number in (1, 2):
        page.keyboard.press("Enter")
        wait_to_hear(page, f"Candidate {number}")
        expect(page.locator("#hear-candidate")).to_be_focused()
    go(page, ".candidate input")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".candidate input").first).to_be_checked()
    write(page, "#name", "The old man")
    press(page, "#make")
    expect(page.locator("h1")).to_have_text("The old man")
    assert page.complaints == []


def test_voices_are_searched_and_how_many_there_are_is_read_out(at):
    page = at("/voices/")
    write(page, "#q", "storyteller")
    wait_to_hear(page, "1 voice found")
    press(page, "[data-preview=ballad]", "Space")
    expect(page.locator("[data-preview=ballad]")).to_have_attribute("aria-pressed", "true")
    page.goto("/studio/")
    press(page, "#choose-voice")
    page.keyboard.press("Shift+Tab")
    write(page, "#voice-search", "storyteller")
    wait_to_hear(page, "1 voice found")


def test_a_long_text_is_started_paused_corrected_and_fetched(at):
    page = at("/jobs/new/")
    write(page, "#id_text", "It was a dark and stormy night.\n\n" * 40)
    press(page, "form[data-drop] button.primary")
    page.wait_for_url("**/jobs/job_*/")
    press(page, "[name=start]")
    page.wait_for_selector("#job")
    press(page, "[name=action][value=pause]")
    expect(page.locator("#state")).to_have_text("Paused")
    press(page, "[data-edit='1']")
    expect(page.locator("#edit-text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[data-edit='1']")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("This is another one.")
    write(page, "#edit-seed", str(SEED))
    press(page, "#edit-form button.primary")
    page.wait_for_load_state()
    expect(page.locator("#segment-1")).to_contain_text("This is another one.")
    assert page.get_attribute("[data-edit='1']", "data-seed") == str(SEED)
    press(page, "[name=action][value=resume]")
    page.wait_for_load_state()
    wait_to_hear(page, "Finished")
    expect(page.locator("#files a")).to_have_count(1)
    go(page, "#files a")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.path().stat().st_size > 10_000
    assert page.complaints == []


def test_what_was_spoken_is_found_and_said_again(at):
    page = at("/studio/")
    go(page, "#input")
    page.keyboard.insert_text("The lamps went out along the quay.")
    page.keyboard.press("Control+Enter")
    for words in ("Making speech.", "Speaking.", "Done: "):
        wait_to_hear(page, words)
    press(page, ".take-formats")
    expect(page.locator("#formats button").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    with page.expect_download():
        page.keyboard.press("Enter")
    wait_to_hear(page, "Downloaded as ")
    page.goto("/history/")
    write(page, "#search", "lamps")
    wait_to_hear(page, "The lamps went out")
    press(page, "[commandfor=forget-all]")
    page.keyboard.press("Escape")
    expect(page.locator("[commandfor=forget-all]").first).to_be_focused()
    press(page, "a[href*='repeat=']")
    page.wait_for_url("**/studio/?repeat=*")
    expect(page.locator("#input")).to_have_value("The lamps went out along the quay.")
    assert page.complaints == []


def test_a_key_is_made_copied_and_revoked(at):
    page = at("/keys/new/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write(page, "[name=name]", "by keyboard")
    page.keyboard.press("Enter")
    page.wait_for_selector("#raw-key")
    press(page, "[data-copies]")
    wait_to_hear(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#raw-key")
    press(page, "a[href='/keys/'].quiet")
    page.wait_for_url("**/keys/")
    press(page, "td a.button")
    page.wait_for_selector("#revoke-dialog", state="attached")
    press(page, "[commandfor=revoke-dialog]")
    press(page, "#revoke-dialog .danger")
    expect(page.locator(".toast.success")).to_contain_text("is revoked")
    assert page.complaints == []


def test_one_says_how_one_wants_it(at):
    page = at("/account/profile/", "grace")
    for field, chosen in (("theme", "dark"), ("default_voice", "Echo"), ("default_format", "opus")):
        go(page, f"[name={field}]")
        page.keyboard.type(chosen)
    press(page, "form.card button.primary")
    expect(page.locator(".toast.success")).to_be_visible()
    assert page.get_attribute("html", "data-theme") == "dark"
    page.goto("/studio/")
    assert page.input_value("#voice") == "echo"
    assert page.input_value("#response_format") == "opus"
    page.goto("/account/profile/erase/")
    write(page, "[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/profile/erase/")
    go(page, "form[action$='/export/'] button")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "voxplatform-export.zip"
    assert page.complaints == []
