"""The page at / speaks, keeps its key to itself, and says in a sentence what went wrong."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Stands in front of the audio clock, to see what is scheduled and when.
LISTEN = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when) {
  const loud = this.buffer.getChannelData(0).reduce((a, b) => Math.max(a, b));
  window.heard.push({ when, seconds: this.buffer.duration, loud });
  return start.call(this, when);
};
"""


@pytest.fixture
def home(open_page, key):
    page = open_page()
    page.add_init_script(LISTEN)
    page.reload()
    page.fill("#key", key)
    page.locator("#key").blur()
    return page


def spoken(page):
    expect(page.locator("#status")).to_contain_text("of speech", timeout=20_000)
    return page.evaluate("window.heard")


def test_it_speaks_while_the_audio_arrives(home):
    home.fill("#text", "One two three. " * 8)
    home.select_option("#voice", "nova")
    home.click("#start")
    pieces = spoken(home)
    assert len(pieces) > 1
    assert max(piece["loud"] for piece in pieces) > 0.05
    for before, after in pairwise(pieces):
        assert after["when"] == pytest.approx(before["when"] + before["seconds"], abs=0.002)
    assert "First audio after" in home.inner_text("#status")
    assert home.complaints == []


def test_it_offers_what_was_heard_as_a_wav_file(home, tmp_path):
    home.click("#start")
    seconds = sum(piece["seconds"] for piece in spoken(home))
    with home.expect_download() as download:
        home.click("#download")
    download.value.save_as(tmp_path / "speech.wav")
    wav = (tmp_path / "speech.wav").read_bytes()
    assert (wav[:4], wav[8:16]) == (b"RIFF", b"WAVEfmt ")
    assert struct.unpack("<I", wav[40:44])[0] == len(wav) - 44 == round(seconds * 48_000)


def test_it_can_be_stopped(home):
    home.fill("#text", "A long text goes on and on. " * 60)
    home.click("#start")
    home.wait_for_selector("#stop:visible")
    home.click("#stop")
    assert home.inner_text("#status") == "Stopped."
    assert home.is_enabled("#start")


def test_it_says_what_went_wrong(home):
    home.fill("#key", "vox_wrong")
    home.click("#start")
    home.wait_for_selector("#error:visible")
    assert home.inner_text("#error").startswith("Incorrect API key")
    assert home.is_enabled("#start")


def test_the_key_stays_in_the_tab(home, open_page, key):
    home.reload()
    assert home.input_value("#key") == key
    assert home.evaluate("localStorage.length") == 0
    assert home.context.cookies() == []
    assert open_page().input_value("#key") == ""


def test_it_works_by_keyboard_alone(open_page, key):
    page = open_page()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "key":
            break
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("of speech", timeout=20_000)


def test_every_control_has_a_name(open_page):
    page = open_page()
    controls = page.locator("input:visible, textarea, select, button:visible, a:visible")
    for control in controls.all():
        name = control.evaluate("e => (e.labels?.[0] ?? e).textContent.trim()")
        assert name, control.evaluate("e => e.outerHTML")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(open_page, scheme):
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(15, 19, 32)") is (scheme == "dark")


def test_the_docs_are_served_from_here(open_page):
    page = open_page("/docs")
    page.wait_for_selector("[data-path='/v1/audio/speech']")
    assert page.complaints == []


def test_a_page_that_is_not_there_says_so(open_page):
    page = open_page("/nowhere")
    assert page.inner_text("h1") == "There is no page here"
