"""Reading through espeak-ng in one go or in several, without losing audio in between."""

from __future__ import annotations

import numpy as np
import pytest

from speech.engine.espeak_library import SAMPLE_RATE, EspeakLibrary, Manner
from speech.engine.espeak_reading import Reading
from tests.engine.acoustics import rms

TEXT = "She sells sea shells by the sea shore, and the shells she sells are sea shells, I am sure."
MANNER = Manner("en-us", rate=175, pitch=50, range=50)


@pytest.fixture(scope="module")
def library():
    library = EspeakLibrary()
    yield library
    library.close()


def read(library, room, text=TEXT):
    samples, words, goes = [], [], 0

    def hand_over(block, starting):
        start = sum(map(len, samples))
        words.extend((word.offset, start + at) for word, at in starting)
        samples.append(block)
        return True

    reading = Reading(text, MANNER, hand_over)
    while not reading.finished:
        reading.go_on(library, room)
        goes += 1
    return np.concatenate(samples), words, goes


def test_it_reads_in_one_go_where_there_is_room(library):
    samples, _, goes = read(library, 10**9)
    assert goes == 1
    assert len(samples) > 4 * SAMPLE_RATE


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.0, 3.0])
def test_it_reads_in_several_goes_and_loses_nothing(library, seconds):
    whole, expected, _ = read(library, 10**9)
    samples, words, goes = read(library, round(seconds * SAMPLE_RATE))
    assert goes > 1
    assert [offset for offset, _ in words] == [offset for offset, _ in expected]
    assert len(samples) == pytest.approx(len(whole), rel=0.02)
    assert rms(samples) == pytest.approx(rms(whole), rel=0.1)
    for (_, at), (_, wanted) in zip(words, expected, strict=True):
        assert at == pytest.approx(wanted, abs=0.05 * SAMPLE_RATE)


def test_it_breaks_off_without_a_click(library):
    whole, _, _ = read(library, 10**9)
    samples, _, _ = read(library, SAMPLE_RATE // 2)
    assert np.abs(np.diff(samples)).max() <= 1.3 * np.abs(np.diff(whole)).max()


def test_it_stops_when_nobody_listens(library):
    heard = []
    reading = Reading(TEXT, MANNER, lambda block, words: heard.append(block))
    reading.go_on(library, 10**9)
    assert len(heard) == 1
    assert reading.finished
