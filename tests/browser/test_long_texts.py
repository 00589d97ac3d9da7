"""A long text at a browser: taken, watched while it is spoken and the server dies, heard, corrected
and fetched. What is asserted is what arrives: rows, sound, captions, chapters."""

from __future__ import annotations

import io
import re
import time

import av
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SENTENCES = 200
TEXT = "\n\n".join(
    f"Chapter {number // 50 + 1}\n\nSentence number {number} of this book."
    if number % 50 == 0
    else f"Sentence number {number} of this book."
    for number in range(SENTENCES)
)


def length_of(data):
    with av.open(io.BytesIO(data)) as container:
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
        frames = sum(frame.samples for frame in container.decode(audio=0))
        return frames / container.streams.audio[0].rate, titles


def start(page, text, **fields):
    page.goto("/jobs/new/")
    page.fill("#id_text", text)
    for name, value in fields.items():
        page.select_option(f"#id_{name}", value)
    page.click("text=Read it")
    page.wait_for_url("**/jobs/job_*/")
    page.click("button:has-text('Start')")
    page.wait_for_selector("#job")


def finished(page):
    return int(page.inner_text("#finished"))


@pytest.mark.slow
def test_a_text_is_started_watched_and_fetched(open_as):
    page = open_as("ada", "/jobs/")
    start(page, "Chapter 1\n\nHello.\n\nChapter 2\n\nBye.", output="m4b")
    expect(page.locator("#state")).to_have_text("Finished", timeout=60_000)
    expect(page.locator("#files a")).to_have_count(1, timeout=30_000)
    with page.expect_download() as download:
        page.locator("#files a").click()
    seconds, titles = length_of(download.value.path().read_bytes())
    assert seconds > 1
    assert titles == ["Chapter 1", "Chapter 2"]
    page.click("[data-edit='0']")
    page.fill("#edit-seed", str(2**63 - 1))  # more than a number of JavaScript holds
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as answer:
        page.click("#edit-form button[value=say]")
    assert page.context.request.get(answer.value.url).json()["seed"] == 2**63 - 1
    assert page.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}]
)
def test_its_pages_are_accessible_in_any_light_and_on_a_phone(open_as, options):
    page = open_as("grace", "/jobs/", **options)
    for path in ("/jobs/", "/jobs/new/"):
        page.goto(path)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#id_text", "Chapter 1\n\nHello.\n\n[voice: nova]\nHi.\n\nChapter 2\n\nBye.")
    page.click("text=Read it")
    page.wait_for_url("**/jobs/job_*/")
    page.wait_for_load_state()
    assert_accessible(page)
    page.click("button:has-text('Start')")
    expect(page.locator("#state")).to_have_text("Finished", timeout=90_000)
    expect(page.locator("#files a")).to_have_count(1, timeout=30_000)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("[data-edit='0']")
    assert_accessible(page)
    assert page.complaints == []


def look_at_files(page, context, api):
    deadline = time.monotonic() + 90
    while (output := context.request.get(api).json()["progress"]["outputs"][0])["state"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    with page.expect_download() as download:
        page.locator("#files a").click()
    seconds, titles = length_of(download.value.path().read_bytes())
    assert seconds == pytest.approx(output["seconds"], abs=0.2)
    assert titles == [f"Chapter {number}" for number in range(1, 5)]
    captions = context.request.get(f"{api}/captions?format=srt").text()
    assert captions.count("-->") == SENTENCES + 4
    hours, minutes, rest = re.findall(r"--> (\d+):(\d+):([\d,]+)", captions)[-1]
    end = int(hours) * 3600 + int(minutes) * 60 + float(rest.replace(",", "."))
    assert end == pytest.approx(output["seconds"], abs=0.1)
    assert "another one" in captions.replace("\n", " ")
