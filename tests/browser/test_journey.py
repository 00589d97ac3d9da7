"""The whole way of a person, at one browser and in one go: they sign up, record a voice with
consent, hear it, have a long text spoken by it while the server dies, correct a piece and fetch the
book.

The model is tiny and random, in the true file format; everything else is as people run it.
"""

from __future__ import annotations

import re
import shutil
import time

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.listening import LISTEN, heard
from tests.browser.test_first_visit import sign_up
from tests.browser.test_long_texts import SENTENCES, finished, look_at_files, start
from tests.browser.test_voices import (
    arrive,
    browser,  # noqa: F401  # pytest finds it here: one with a microphone
    microphone,  # noqa: F401
    record,
)
from tests.live import LiveServer, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1500)]

# Random weights speak as long as a text may be spoken at most, so these are short.
TEXT = "\n\n".join(
    f"Chapter {number // 50 + 1}\n\nNo" if number % 50 == 0 else "No" for number in range(SENTENCES)
)


@pytest.fixture
def environment(tmp_path):
    from tests.engine.voxcpm.checkpoints import build_tiny

    return {
        "SIGN_UP": "open",
        "REQUIRE_CONSENT": "recording",
        "VOICE_CHECKS": "report",  # what random weights say is no speech
        "SPEECH_ENGINE": "voxcpm",
        "SPEECH_MODEL": str(build_tiny(tmp_path / "voxcpm2", "voxcpm2")),
        "ENGINE_THREADS": "1",
        "ENGINE_SLOTS": "4",
        "ENGINE_MAX_LENGTH": "512",
    }


def test_from_the_door_to_a_book_in_ones_own_voice(site_dir, environment, browser, tmp_path):  # noqa: F811
    data_dir = shutil.copytree(site_dir, tmp_path / "data")
    port = free_port()
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}", bypass_csp=True)
    page = context.new_page()
    page.add_init_script(LISTEN)
    with LiveServer(data_dir, environment, port=port, start_seconds=200) as server:
        page.goto("/")
        sign_up(page, "nell")
        record_a_voice(page)
        hear_it(page)
        start(page, TEXT, voice="Nell's own", output="m4b")
        before = watch_until(page, 20)
        expect(page.locator("#left-box")).to_be_visible()
        expect(page.locator("#listen")).to_be_visible()
        server.process.kill()
        server.process.wait()
        expect(page.locator("#offline")).to_be_visible()
    with LiveServer(data_dir, environment, port=port, start_seconds=200) as server:
        expect(page.locator("#offline")).to_be_hidden(timeout=60_000)
        assert finished(page) >= before
        expect(page.locator("#state")).to_have_text("Finished", timeout=900_000)
        api = f"{server.url}/api/jobs/{re.search('job_[0-9a-f]+', page.url).group()}"
        correct_one(page, context, api)
        look_at_files(page, context, api)
    context.close()


def record_a_voice(page):
    page.goto("/voices/new/")
    record(page, "voice", 4)
    page.fill("#transcript", "")  # the microphone reads less than that
    page.fill("#name", "Nell's own")
    record(page, "consent", 10)
    page.fill("#owner", "Nell")
    page.click("#make")
    arrive(page)
    expect(page.locator("section:has(#consent-title)")).to_contain_text("Active")


def hear_it(page):
    """Samples reach the loudspeaker before all of them were made."""
    page.click("text=Speak with it")
    page.wait_for_function("window.heard.rate > 0")
    page.fill("#input", "Good evening. It is a quiet night. " * 4)
    page.click("#speak")
    page.wait_for_function(
        """() => window.heard.samples.filter((part) => part.some((sample) => sample !== 0))
          .length * 128 > window.heard.rate / 4""",
        timeout=120_000,
    )
    assert page.get_attribute("#studio", "data-busy") == "true"
    assert np.abs(heard(page)).max() > 0.001
    page.click("#speak")


def watch_until(page, count):
    deadline = time.monotonic() + 300
    while (now := finished(page)) <= count:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    expect(page.locator("#left-box")).to_be_visible()
    expect(page.locator("#listen")).to_be_visible()
    return now


def is_said_anew(segment):
    return segment["state"] == "finished" and segment["text"] == "This is another one."


def correct_one(page, context, api):
    """Only that piece is another one afterwards."""
    audio = [f"{api}/segments/{number}/audio" for number in (3, 4)]
    before = [context.request.get(url).body() for url in audio]
    page.click("[data-edit='3']")
    page.fill("#edit-text", "This is another one.")
    page.click("#edit-form button[value=say]")
    page.wait_for_load_state()
    deadline = time.monotonic() + 120
    while not is_said_anew(context.request.get(f"{api}/segments/3").json()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    after = [context.request.get(url).body() for url in audio]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]
    expect(page.locator("#state")).to_have_text("Finished", timeout=120_000)
