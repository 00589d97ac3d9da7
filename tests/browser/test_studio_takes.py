"""What was heard in the studio: had in six formats without being made again, made anew with another
seed, from code, and from the history."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.studio import TEXT, made, say, wait_until_said

pytestmark = pytest.mark.browser

FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"]


# -- what was heard is kept


def downloaded(page, format):
    page.click(".take-formats")
    with page.expect_download() as download:
        page.click(f"[data-format={format}]")
    assert download.value.suggested_filename.endswith(f".{format}")
    return Path(download.value.path()).read_bytes()


def seconds_of(data, format):
    if format == "pcm":
        return len(data) / 2 / 24_000
    with av.open(io.BytesIO(data)) as container:
        rate = container.streams.audio[0].rate
        return sum(frame.samples for frame in container.decode(audio=0)) / rate


@pytest.mark.slow
def test_it_is_downloaded_in_six_formats_and_made_once(studio, site, key):
    say(studio)
    wait_until_said(studio)
    spoken = []
    studio.on("request", lambda request: request.method == "POST" and spoken.append(request.url))
    length = len(made(site, key)) / 24_000
    for format in FORMATS:
        data = downloaded(studio, format)
        assert seconds_of(data, format) == pytest.approx(length, abs=0.12), format
    assert spoken == []


@pytest.mark.slow
def test_nobody_else_gets_it(studio, open_as):
    with studio.expect_event(
        "request", lambda request: "/takes/" in request.url, timeout=20_000
    ) as asked:
        say(studio)
        wait_until_said(studio)
        studio.click(".take-download")
    path = asked.value.url
    assert studio.request.get(path).status == 200
    assert open_as("grace", "/livez").request.get(path).status == 404


@pytest.mark.slow
def test_one_that_is_gone_says_what_to_do(studio):
    say(studio)
    wait_until_said(studio)
    studio.route("**/takes/**", lambda route: route.fulfill(status=404, json={}))
    studio.click(".take-download")
    expect(studio.locator("#error")).to_contain_text("Play it with its seed again")
    studio.complaints.clear()  # the browser's own line about the 404


# -- another take


@pytest.mark.slow
def test_another_seed_makes_another_take_of_the_same(studio):
    say(studio)
    wait_until_said(studio)
    studio.click(".take-again")
    expect(studio.locator(".take")).to_have_count(2)
    wait_until_said(studio)
    seeds = [
        re.search(r"seed (\d+)", facts)[1]
        for facts in studio.locator(".take-facts").all_inner_texts()
    ]
    assert len(set(seeds)) == 2
    assert seeds[1] == "7"


@pytest.mark.slow
def test_a_seed_is_shown_and_kept_when_it_is_locked(studio):
    say(studio, seed=None)
    wait_until_said(studio)
    seed = studio.input_value("#seed")
    assert seed.isdigit()
    studio.click("#lock")
    studio.click("#speak")
    expect(studio.locator(".take")).to_have_count(2)
    wait_until_said(studio)
    for facts in studio.locator(".take-facts").all_inner_texts():
        assert f"seed {seed}" in facts


@pytest.mark.slow
@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_same_speech_is_had_from_code(studio, site, key, tmp_path, language):
    studio.fill("#input", 'It\'s "quoted" & $HOME, über \\n.')
    studio.fill("#seed", "7")
    studio.select_option("#response_format", "wav")
    studio.click("#code")
    studio.click(f"[data-code={language}]")
    code = studio.inner_text("#snippet").replace("http://127.0.0.1:8000", site.url)
    run = {"curl": ["bash", "-c", code], "python": [sys.executable, "-c", code]}[language]
    environment = {"VOX_API_KEY": key, "PATH": "/usr/bin:/bin"}
    subprocess.run(run, cwd=tmp_path, env=environment, check=True, timeout=60)
    said = np.frombuffer((tmp_path / "speech.wav").read_bytes()[44:], "<i2") / 32_768
    there = made(site, key, text='It\'s "quoted" & $HOME, über \\n.')
    assert np.array_equal(said, there)


@pytest.mark.slow
def test_what_was_spoken_earlier_is_said_again_from_the_history(studio):
    studio.select_option("#response_format", "flac")
    studio.fill("#instructions", "Softly")
    say(studio, seed=12)
    wait_until_said(studio)
    studio.goto("/history/")
    studio.click("text=Say it again >> nth=0")
    expect(studio.locator("#input")).to_have_value(TEXT)
    assert studio.input_value("#seed") == "12"
    assert studio.input_value("#instructions") == "Softly"
    studio.click("#speak")
    wait_until_said(studio)
    expect(studio.locator(".take-facts")).to_contain_text("seed 12")
