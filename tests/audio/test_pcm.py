"""Samples as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from speech.audio import is_finite, is_silent, peak, silence, to_s16


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (0.0, 0),
        (1.0, 32767),
        (-1.0, -32768),
        (1.5, 32767),
        (-1.5, -32768),
        (1e30, 32767),
        (-3e38, -32768),
        (0.5, 16384),
        (0.5 / 32768, 0),
        (1.5 / 32768, 2),
        (-0.6 / 32768, -1),
        (32766.6 / 32768, 32767),
    ],
)
def test_it_rounds_to_16_bits_and_saturates(sample, expected):
    assert to_s16(np.array([sample], dtype=np.float32))[0] == expected


def test_it_changes_no_16_bit_value_that_comes_back():
    every = np.arange(-32768, 32768, dtype=np.int16)
    assert (to_s16(every.astype(np.float32) / 32768) == every).all()


def test_it_says_16_bits_in_little_endian():
    assert to_s16(np.array([1 / 32768], dtype=np.float32)).tobytes() == b"\x01\x00"


def test_it_knows_numbers_from_what_is_none():
    assert is_finite(silence(0.1, 24_000))
    assert is_finite(silence(0, 24_000))
    for value in (np.nan, np.inf, -np.inf):
        assert not is_finite(np.array([0, value], dtype=np.float32))


def test_it_knows_silence_from_the_softest_sound():
    assert is_silent(silence(0.1, 24_000))
    assert is_silent(silence(0, 24_000))
    assert is_silent(np.full(9, 0.4 / 32768, dtype=np.float32))
    assert not is_silent(np.full(9, -0.6 / 32768, dtype=np.float32))


def test_it_finds_the_peak():
    assert peak(np.array([0.1, -0.75, 0.5], dtype=np.float32)) == 0.75
    assert peak(silence(0, 24_000)) == 0.0


def test_it_makes_silence_of_the_asked_length():
    assert silence(0.2, 22_050).shape == (4410,)
    assert silence(0.2, 22_050).dtype == np.float32
