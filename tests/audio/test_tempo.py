"""Speed changes the tempo, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.audio import Tempo

from .sound import cut, cut_at, likeness, tone, voiced

RATE = 24_000
SPEEDS = (0.25, 0.3, 0.5, 0.75, 0.99, 1.01, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)


def spoken(samples, speed, rate=RATE):
    tempo = Tempo(speed, rate)
    return np.concatenate([*map(tempo.process, cut(samples, rate // 12)), tempo.flush()])


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("seconds", [0.01, 0.2, 1.3, 6.0])
def test_it_gives_the_length_that_the_speed_asks_for(speed, seconds):
    samples = voiced(seconds, RATE)
    assert len(spoken(samples, speed)) == round(len(samples) / speed)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("frequency", [110.0, 220.0])
def test_it_keeps_the_pitch(speed, frequency):
    """A voice's first three harmonics; the strongest line is measured to a tenth of a hertz."""
    samples = sum(tone(frequency * k, 4.0, RATE, 0.2 / k) for k in (1, 2, 3))
    spectrum = np.abs(np.fft.rfft(spoken(samples, speed), 10 * RATE))
    assert np.argmax(spectrum) / 10 == pytest.approx(frequency, rel=0.02)


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_says_every_moment_when_its_time_has_come(speed):
    """Three beeps of 200 ms in silence, and the last one ends with the sound."""
    onsets, samples = (0.5, 1.7, 2.8), np.zeros(3 * RATE, dtype=np.float32)
    for onset in onsets:
        samples[round(onset * RATE) :][: RATE // 5] = tone(300, 0.2, RATE)
    loud = np.abs(spoken(samples, speed)) > 0.1
    for onset in onsets:
        start, end = (Tempo(speed, RATE).output_time(onset + edge) for edge in (0.0, 0.2))
        early = round((start - 0.1) * RATE)
        heard = (early + np.flatnonzero(loud[early:])[0]) / RATE
        assert heard == pytest.approx(start, abs=0.1)
        assert loud[round(start * RATE) : round(end * RATE)].mean() > 0.4


def test_it_leaves_normal_speed_alone():
    samples = voiced(0.5, RATE)
    tempo = Tempo(1.0, RATE)
    assert tempo.process(samples) is samples
    assert len(tempo.flush()) == 0
    assert tempo.output_time(1.25) == 1.25


@settings(deadline=None, max_examples=25)
@given(speed=st.sampled_from(SPEEDS), edges=st.lists(st.integers(0, RATE // 2), max_size=12))
def test_it_gives_the_same_samples_for_any_chunks(speed, edges):
    samples = voiced(0.5, RATE)
    tempo = Tempo(speed, RATE)
    pieces = [*map(tempo.process, cut_at(samples, edges)), tempo.flush()]
    assert (np.concatenate(pieces) == spoken(samples, speed)).all()


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_holds_back_little(speed):
    samples, tempo = voiced(3.0, RATE), Tempo(speed, RATE)
    given = sum(len(tempo.process(piece)) for piece in cut(samples, RATE // 12))
    assert given * speed / RATE > 3.0 - (0.2 if speed <= 2 else 0.3)


def test_it_keeps_what_is_nearly_normal_speech_alike():
    samples = voiced(1.0, RATE)
    heard = spoken(samples, 1.01)[:2400]
    assert likeness(heard, samples[:2400]) > 0.9


def test_it_says_nothing_when_there_was_nothing():
    tempo = Tempo(2.0, RATE)
    assert len(tempo.process(np.zeros(0, dtype=np.float32))) == 0
    assert len(tempo.flush()) == 0


@pytest.mark.parametrize("speed", [0.24, 4.01, 0.0, -1.0, float("nan"), float("inf")])
def test_it_refuses_a_speed_out_of_range(speed):
    with pytest.raises(ValueError, match=r"0\.25 to 4\.0"):
        Tempo(speed, RATE)
