"""What a listener's decoder gives back, against what the engine said."""

from __future__ import annotations

import numpy as np
import pytest

from speech.audio import create_encoder, to_s16

from .sound import cut, decode, delay, encoded, likeness, voiced

# The samples an encoder puts in front of the first, and the most milliseconds in all.
DELAYED = [("mp3", 1105, 80), ("aac", 1024, 95)]
SECONDS = (0.2, 0.5, 1.017, 3.2)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize(("format", "rate"), [("pcm", 24_000), ("wav", 22_050), ("flac", 22_050)])
def test_it_gives_back_every_sample_bit_for_bit(format, rate, seconds):
    samples = voiced(seconds, rate)
    data = encoded(create_encoder(format, rate), cut(samples, rate // 25))
    heard, _ = decode(data, format)
    assert (heard * 32768 == to_s16(samples)).all()


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize(
    ("format", "rate", "sample_rate"),
    [("pcm", 22_050, None), ("wav", 24_000, 16_000), ("flac", 48_000, 8_000)],
)
def test_it_gives_back_every_moment_at_another_rate(format, rate, sample_rate, seconds):
    samples = voiced(seconds, rate)
    encoder = create_encoder(format, rate, sample_rate)
    heard, _ = decode(encoded(encoder, cut(samples, 999)), format)
    assert len(heard) == pytest.approx(len(samples) * encoder.sample_rate / rate, abs=0.5)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_it_ends_opus_at_the_sample_and_starts_it_in_place(rate, seconds):
    samples = voiced(seconds, rate)
    heard, _ = decode(encoded(create_encoder("opus", rate), cut(samples, rate // 25)), "opus")
    assert len(heard) == pytest.approx(len(samples) * 48_000 / rate, abs=0.5)
    if rate == 48_000:
        assert delay(heard, samples) == 0
        assert likeness(heard, samples) > 0.95


@pytest.mark.parametrize("rate", [22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize(("format", "lag", "limit"), DELAYED)
def test_it_puts_mp3_and_aac_behind_a_fixed_delay_and_less_than_a_frame(format, lag, limit, rate):
    frame = 1024 if format == "aac" else 1152 if rate > 24_000 else 576
    for extra in range(0, frame, frame // 8 + 1):  # every way a last frame can be filled
        samples = voiced(0.5 + extra / rate, rate)
        heard, _ = decode(encoded(create_encoder(format, rate), cut(samples, rate // 25)), format)
        padding = len(heard) - lag - len(samples)
        assert 0 <= padding < frame
        assert (lag + padding) / rate * 1000 < limit
        assert delay(heard, samples) == lag
        aligned = heard[lag : lag + len(samples)]
        assert likeness(aligned, samples) > 0.97
        assert likeness(aligned[-rate // 20 :], samples[-rate // 20 :]) > 0.9  # the last 50 ms


def test_it_carries_16_khz_in_mp3_and_aac_within_the_same_delays():
    samples = voiced(1.0, 16_000)
    for format, lag, limit in DELAYED:
        heard, rate = decode(encoded(create_encoder(format, 16_000), [samples]), format)
        assert lag <= len(heard) - rate < limit / 1000 * rate


def test_it_joins_mp3_answers_end_to_end():
    """Clients send a long text in pieces and write the answers one behind the other."""
    sounds = [voiced(1.0, 24_000, seed) for seed in (1, 2)]
    pieces = [encoded(create_encoder("mp3", 24_000), [sound]) for sound in sounds]
    joined = b"".join(pieces)
    assert len(decode(joined, "mp3")[0]) == sum(len(decode(piece, "mp3")[0]) for piece in pieces)
    assert not joined.startswith(b"ID3")
    assert b"Xing" not in joined
    assert b"Info" not in joined


def test_it_keeps_mp3_at_one_bitrate():
    data = encoded(create_encoder("mp3", 24_000), [np.zeros(24_000, np.float32), voiced(1, 24_000)])
    frame_size = 128_000 // 8 * 576 // 24_000
    headers = [data[start : start + 2] for start in range(0, len(data), frame_size)]
    assert set(headers) == {b"\xff\xf3"}
