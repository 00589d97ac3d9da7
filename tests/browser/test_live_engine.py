"""The live engine page in a browser: what it shows as it happens, and what its buttons do."""

from __future__ import annotations

import threading
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, assert_accessible

pytestmark = pytest.mark.browser
LIVE = "/admin/speech/enginemeasurement/live/"
LONG = "A sentence that takes its time to be said, as all of them do. " * 60


@pytest.fixture
def live(open_page):
    page = open_page(f"/account/login/?next={LIVE}")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"**{LIVE}")
    yield page
    assert page.complaints == []


@pytest.fixture
def speaking(site, key):
    """Somebody who listens to a long text; what they are told at its end."""
    told = []

    def listen():
        body = {"model": "gpt-4o-mini-tts", "voice": "nova", "input": LONG, "stream_format": "sse"}
        with (
            site.http(key) as http,
            suppress(httpx.TransportError),  # it is cut once it was told
            http.stream("POST", "/api/speech", json=body) as answer,
        ):
            told.extend(answer.iter_raw())

    thread = threading.Thread(target=listen)
    thread.told = told
    thread.start()
    yield thread
    thread.join(60)


def state(page, words, timeout=15_000):
    expect(page.locator("[data-engine=state]")).to_have_text(words, timeout=timeout)


def press(page, label):
    page.click(f".vox-tools button:text-is('{label}')")
    expect(page.locator("body")).to_contain_text("Done.")


@pytest.mark.slow
def test_a_stream_is_seen_with_its_numbers_and_stopped(live, speaking):
    row = live.locator("#streams tbody tr", has_text="nova")
    expect(row).to_have_count(1, timeout=10_000)
    account, face, voice, characters, age, audio, speed, _ = row.locator("td").all_inner_texts()
    assert (face, voice, int(characters)) == ("native", "nova", len(LONG))
    assert all(float(text.rstrip("s× ")) >= 0 for text in (age, audio, speed))
    queue = live.locator("#accounts tbody tr", has_text=account)
    expect(queue).to_have_text(f"{account}100")  # one stream that is heard, none that waits
    expect(live.locator("[data-engine=running]")).to_have_text("1")
    older = float(age.rstrip("s "))
    live.wait_for_function(
        "older => parseFloat(document.querySelector('#streams tbody').rows[0].cells[4].innerText)"
        " > older",
        arg=older,
    )
    row.get_by_role("button").click()
    expect(live.locator("body")).to_contain_text("Done.")
    expect(live.locator("#streams")).to_contain_text("Nobody is being spoken to.", timeout=10_000)
    speaking.join()
    assert b"The stream was stopped by an operator." in b"".join(speaking.told)


@pytest.mark.slow
def test_the_engine_is_unloaded_loaded_and_restarted(live):
    state(live, "ready")
    press(live, "Unload")
    state(live, "not loaded")
    press(live, "Load")
    state(live, "ready")
    press(live, "Restart")
    state(live, "ready")


@pytest.mark.slow
def test_it_is_measured_with_one_four_and_eight_and_the_table_is_kept(live):
    state(live, "ready")
    live.set_default_timeout(90_000)
    press(live, "Measure")
    live.reload()
    rows = live.locator("table").last.locator("tbody tr")
    assert [row.split("\t")[2] for row in rows.all_inner_texts()] == ["8", "4", "1"]


@pytest.mark.slow
def test_a_notice_reaches_people_at_once(live, open_as):
    live.goto("/admin/speech/notice/add/")
    live.fill("[name=text]", "We restart at noon.")
    live.click("[name=_save]")
    expect(live.locator("body")).to_contain_text("We restart at noon.")
    ada = open_as("ada", "/jobs/")
    expect(ada.locator("body")).to_contain_text("We restart at noon.")
    assert_accessible(ada)
    live.click("text=We restart at noon. >> nth=0")
    live.click("text=Delete notice")
    live.click("[type=submit]:has-text('Yes')")
    ada.reload()
    expect(ada.locator("body")).not_to_contain_text("noon")
