"""An engine that is just as fast as its speech is heard at once and without a gap. The audio clock
is turned by hand, so that the machine may be as busy as it likes; at a live engine as much is asked
for as has come in time."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.browser.audio_clock import BY_HAND, RECEIPTS, hear_at, pieces_of, replace
from tests.browser.listening import LISTEN, forget, heard
from tests.browser.studio import made, say, sounding, trimmed, wait_until_said
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = "Good evening, dear listeners. It is a quiet night, and nobody is on the road. " * 2
RATE = 24_000


@pytest.fixture
def studio(open_as):
    page = open_as("ada", "/livez", bypass_csp=True)
    page.add_init_script(RECEIPTS)
    page.add_init_script(BY_HAND)
    page.goto("/studio/")
    page.complaints.clear()  # of the page without an icon, by which we came
    say(page, TEXT)
    page.wait_for_function("window.sink")
    yield page
    assert page.complaints == []


def in_real_time(page, late=lambda number: 0.0, pace=1.0):
    """When pieces come of which each takes as long to make as to hear, and some a little longer."""
    made_by = np.cumsum([0.1, *(pace * len(piece) / RATE for piece in pieces_of(page))])
    return [float(at + late(number)) for number, at in enumerate(made_by[:-1])]


def gaps(samples):
    """How long it was silent within, in seconds, each time."""
    sounds = np.flatnonzero(trimmed(samples))
    return [float(gap) / RATE for gap in np.diff(sounds) if gap > 64]


def test_it_is_heard_at_once_and_without_a_gap(studio, site, key):
    draw = random.Random(1)
    times = in_real_time(studio, lambda at: 0.02 * draw.random() if at else 0.0)
    heard = hear_at(studio, times)
    first = np.flatnonzero(heard)[0] / RATE
    assert 0 < first - times[0] <= 0.035  # what is left of 50 ms is the device's
    ours, theirs = trimmed(heard), trimmed(made(site, key, TEXT))
    assert len(theirs) / RATE > 9  # more than the player may have ahead of itself
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-6


def test_the_first_pause_makes_up_for_what_comes_late_afterwards(studio):
    pieces = pieces_of(studio)
    replace(studio, 5, np.zeros_like(pieces[5]))
    said = sounding(np.concatenate(pieces_of(studio)))
    times = in_real_time(studio, lambda number: 0.2 if number == 20 else 0.0)
    heard = hear_at(studio, times)
    assert np.array_equal(sounding(heard), said.astype(np.float32) / 32_768)
    [pause] = gaps(heard)
    assert len(pieces[5]) / RATE <= pause < len(pieces[5]) / RATE + 0.3


def test_an_engine_that_is_slower_makes_it_wait_rather_than_stutter(studio):
    heard = hear_at(studio, in_real_time(studio, pace=1.2))
    said = sounding(np.concatenate(pieces_of(studio)))
    assert np.array_equal(sounding(heard), said.astype(np.float32) / 32_768)
    waits = gaps(heard)
    assert 1 <= len(waits) <= 4
    assert min(waits) > 0.2


# -- a live engine that is exactly as fast as its speech, whatever else the machine does

PATIENCE = 0.025


@pytest.fixture
def live(browser, site_dir, sessions, key):
    with LiveServer(site_dir, {"ENGINE_CONFIG": '{"speed": 1.0}'}) as server:
        context = browser.new_context(base_url=server.url, bypass_csp=True)
        context.add_cookies([{"url": server.url, "name": "sessionid", "value": sessions["ada"]}])
        page = context.new_page()
        page.add_init_script(LISTEN)
        page.add_init_script(RECEIPTS)
        page.goto("/studio/")
        page.wait_for_function("window.heard.rate > 0")
        yield page, trimmed(made(server, key))
        context.close()


def lateness(page):
    """How much later than the first one each piece has come to the player, in seconds: 0 where it
    came just as that one ended."""
    receipts = [one for one in page.evaluate("receipts") if one["count"]]
    heard_before = np.cumsum([0, *(one["count"] for one in receipts)])[:-1]
    came = np.array([one["came"] for one in receipts])
    return (came - came[0] - heard_before) / RATE


def test_what_a_live_engine_sends_in_time_is_heard_without_a_gap(live):
    page, theirs = live
    for _ in range(4):
        forget(page)
        page.evaluate("receipts.length = 0")
        say(page)
        wait_until_said(page)
        ours, late = heard(page), lateness(page)
        assert len(late) > 10
        assert np.abs(sounding(ours) - sounding(theirs)).max() < 1e-6
        if was_in_time := late.max() <= PATIENCE:
            assert ours.shape == theirs.shape
            break
    assert was_in_time or np.median(late) < PATIENCE  # held up now and then, not as a rule
