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
from tests.contract.sdks import node_command

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


def command(language, code, folder):
    if language == "curl":
        return ["bash", "-c", code]
    if language == "python":
        return [sys.executable, "-c", code]
    program, script = node_command()
    (folder / "node_modules").symlink_to(Path(script).parent / "node_modules")
    return [program, "--input-type=module", "--eval", code]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["curl", "python", "node"])
def test_the_same_speech_is_had_from_code_as_it_is_copied(studio, site, key, tmp_path, language):
    said = {"text": 'It\'s "quoted" & $HOME, über \\n.', "seed": 2**63 - 1, "speed": 1.25}
    said |= {"instructions": "Softly, `please`", "normalize": False, "inference_timesteps": 4}
    studio.context.grant_permissions(["clipboard-read", "clipboard-write"])
    studio.fill("#input", said["text"])
    studio.fill("#seed", str(said["seed"]))
    studio.fill("#speed", str(said["speed"]))
    studio.fill("#instructions", said["instructions"])
    studio.click(".advanced summary")
    studio.uncheck("#normalize")
    studio.fill("#inference_timesteps", str(said["inference_timesteps"]))
    studio.select_option("#response_format", "wav")
    studio.click("#code")
    studio.click(f"[data-code={language}]")
    studio.click("[data-copies=snippet]")
    expect(studio.locator("[data-copies=snippet]")).to_have_text("Copied")
    code = studio.evaluate("navigator.clipboard.readText()")
    environment = {"VOX_API_KEY": key, "PATH": "/usr/bin:/bin"}
    run = command(language, code, tmp_path)
    subprocess.run(run, cwd=tmp_path, env=environment, check=True, timeout=60)
    heard = np.frombuffer((tmp_path / "speech.wav").read_bytes()[44:], "<i2") / 32_768
    assert np.array_equal(heard, made(site, key, **said))


@pytest.mark.slow
def test_what_was_spoken_earlier_is_said_again_from_the_history(studio):
    studio.select_option("#response_format", "flac")
    studio.fill("#instructions", "Softly")
    seed = 2**63 - 1  # more than a number of JavaScript holds
    say(studio, seed=seed)
    wait_until_said(studio)
    studio.goto("/history/")
    studio.click("text=Say it again >> nth=0")
    expect(studio.locator("#input")).to_have_value(TEXT)
    assert studio.input_value("#seed") == str(seed)
    assert studio.input_value("#instructions") == "Softly"
    studio.click("#speak")
    wait_until_said(studio)
    expect(studio.locator(".take-facts")).to_contain_text(f"seed {seed}")
