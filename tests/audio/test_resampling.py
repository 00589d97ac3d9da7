"""From one sample rate to another without a trace."""

from __future__ import annotations

import numpy as np
import pytest

from speech.audio import Resampler

from .sound import cut, tone

PAIRS = [(22_050, 24_000), (16_000, 24_000), (24_000, 48_000), (44_100, 24_000), (48_000, 8_000)]


def resampled(samples, input_rate, output_rate, size=1_000):
    resampler = Resampler(input_rate, output_rate)
    return np.concatenate([*map(resampler.process, cut(samples, size)), resampler.flush()])


@pytest.mark.parametrize(("input_rate", "output_rate"), PAIRS)
@pytest.mark.parametrize("length", [1, 160, 12_345])
def test_it_keeps_the_length_to_the_sample(input_rate, output_rate, length):
    heard = resampled(np.ones(length, dtype=np.float32), input_rate, output_rate)
    assert len(heard) == pytest.approx(length * output_rate / input_rate, abs=0.5)


@pytest.mark.parametrize(("input_rate", "output_rate"), PAIRS)
def test_it_keeps_a_tone_in_place(input_rate, output_rate):
    heard = resampled(tone(440, 1.0, input_rate), input_rate, output_rate)
    middle = slice(output_rate // 10, -output_rate // 10)
    assert np.abs(heard - tone(440, 1.0, output_rate))[middle].max() < 1e-4


def test_it_lets_no_alias_through():
    """15 kHz has no place at 24 kHz: it would be heard at 9."""
    heard = resampled(tone(15_000, 1.0, 48_000), 48_000, 24_000)
    assert np.abs(heard[2_400:-2_400]).max() < 1e-5


@pytest.mark.parametrize(("input_rate", "output_rate"), PAIRS)
def test_it_answers_soon(input_rate, output_rate):
    ready = Resampler(input_rate, output_rate).process(tone(440, 0.16, input_rate))
    assert len(ready) / output_rate > (0.1 if output_rate > 8_000 else 0.02)


def test_it_passes_equal_rates_through():
    samples = tone(440, 0.1, 24_000)
    resampler = Resampler(24_000, 24_000)
    assert resampler.process(samples) is samples
    assert len(resampler.flush()) == 0
