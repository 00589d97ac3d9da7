"""Many recordings sound like one: one loudness, soft joins, no clipping, any length."""

from __future__ import annotations

import math

import numpy as np
import pytest

from speech.audio.mastering import CEILING, TARGET_LUFS, amplify, measure, soften

RATE = 24_000


def speechlike(seconds, level):
    """Noise that comes and goes, as syllables do."""
    at = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(7).standard_normal(len(at))
    return (level * noise * np.clip(np.sin(2 * np.pi * 4 * at), 0, 1)).astype(np.float32)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_whatever_its_level_it_comes_to_the_target(level):
    samples = speechlike(6, level)
    loudness = measure([samples], RATE)
    again = measure([amplify(samples, loudness.gain)], RATE)
    assert again.integrated == pytest.approx(TARGET_LUFS, abs=1)
    assert loudness.reached == pytest.approx(again.integrated, abs=1)
    assert again.peak <= CEILING + 1e-6


def test_one_loud_crack_does_not_make_all_of_it_quiet_nor_clip():
    samples = speechlike(6, 0.02)
    samples[RATE] = 1.0
    louder = amplify(samples, measure([samples], RATE).gain)
    assert measure([louder], RATE).integrated > TARGET_LUFS - 8
    assert np.abs(louder).max() <= CEILING + 1e-6


def test_it_measures_the_same_however_it_is_cut():
    samples = speechlike(5, 0.1)
    whole = measure([samples], RATE)
    assert measure(np.array_split(samples, 37), RATE).integrated == pytest.approx(
        whole.integrated, abs=0.1
    )


def test_silence_stays_silence():
    loudness = measure([np.zeros(RATE, np.float32)], RATE)
    assert loudness.gain == 1.0
    assert measure([], RATE).gain == 1.0


def test_edges_are_faded_and_nothing_else_is_touched():
    samples = np.full(RATE, 0.5, np.float32)
    softened = soften(samples, RATE)
    assert softened[0] == 0
    assert abs(float(softened[-1])) < 1e-6
    assert np.abs(np.diff(softened)).max() < 0.005
    assert (softened[RATE // 4 : RATE // 2] == 0.5).all()
    assert len(soften(samples[:3], RATE)) == 3
    assert not math.isnan(float(soften(samples[:0], RATE).sum()))
