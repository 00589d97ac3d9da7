"""A model that does not know where its words begin, as VoxCPM: the sentence that is being heard is
marked in the text, by the audio clock and by what the server said is spoken when.

The model is tiny and random, in the true file format, and its sentences are cut short; the clock is
turned by hand; everything else is as people run it.
"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.browser.audio_clock import BY_HAND, RECEIPTS, hear_at, marks_of, pieces_of
from tests.browser.studio import made, say
from tests.contract.test_voxcpm import ANY_SOUND, SMALL
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

# Spoken otherwise than written, in lines that wrap, and with signs of which scripts count two.
SENTENCES = [
    "The first of three sentences costs $5 🙂, and is long enough to be spoken alone.",
    "The second was written on 3 May 2024 by Dr. Smith, and dates and titles are read as words.",
    "The third comes at the end 🙂🙂, and when it is over nothing in the text is marked any more.",
]
PATCHES = 6  # a second of audio
REPORTED = 0.05  # seconds between two looks of the page at its clock


@pytest.fixture(scope="module")
def site(site_dir, tiny, tmp_path_factory):
    data_dir = shutil.copytree(site_dir, tmp_path_factory.mktemp("utterances") / "data")
    environment = {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(tiny("voxcpm2"))}
    with LiveServer(data_dir, environment | SMALL | ANY_SOUND, start_seconds=150) as server:
        yield server


@pytest.fixture
def studio(open_as):
    page = open_as("ada", "/livez", bypass_csp=True)
    page.add_init_script(RECEIPTS)
    page.add_init_script(BY_HAND)
    page.route("**/api/studio/speech", cut_short)
    page.goto("/studio/")
    page.complaints.clear()  # of the page without an icon, by which we came
    yield page
    assert page.complaints == []


def cut_short(route):
    """Random weights do not know when a sentence is over."""
    asked = {**route.request.post_data_json, "max_new_tokens": PATCHES}
    route.continue_(post_data=json.dumps(asked))


@pytest.mark.parametrize("speed", [1, 1.5])
def test_the_sentence_that_is_heard_is_marked(studio, site, key, speed):
    studio.fill("#speed", str(speed))
    say(studio, " ".join(SENTENCES))
    studio.wait_for_function("window.sink", timeout=60_000)
    pieces = pieces_of(studio)
    take = np.concatenate(pieces).astype(np.float32) / 32_768
    rate = studio.evaluate("clock.sampleRate")
    heard = hear_at(studio, twice_as_fast(pieces, rate))
    begin = np.flatnonzero(heard)[0] - np.flatnonzero(take)[0]
    assert np.array_equal(heard[begin:][: len(take)], take), "without a pause, so that time is time"

    alone = made(site, key, SENTENCES[0], speed=speed, max_new_tokens=PATCHES, sample_rate=rate)
    sent = [mark["time"] for mark in marks_of(studio)]
    assert sent[0] == 0
    assert sent[1] == pytest.approx(len(alone) / rate, abs=0.03)
    assert sent[1] < sent[2] < len(take) / rate

    marked = studio.evaluate("marked")
    assert [text for _, text in marked] == [*SENTENCES, None]
    for (frame, _), begins in zip(marked, [*sent, len(take) / rate], strict=True):
        assert -1e-3 <= (frame - begin) / rate - begins <= REPORTED + 256 / rate
    assert studio.locator("#captions mark").count() == 0


def twice_as_fast(pieces, rate):
    """When they come, so that the player has what it needs from the start."""
    lengths = np.cumsum([0, *map(len, pieces)])[:-1] / rate
    return [float(0.1 + max(0.0, length - 0.5) / 2) for length in lengths]
