"""Six formats: what they promise, when they start, how they end and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from speech.audio import ENCODERS, create_encoder

from .sound import FORMATS, cut, decode, encoded, voiced

ENGINE_RATES = (16_000, 22_050, 24_000, 44_100, 48_000)


@pytest.mark.parametrize("rate", ENGINE_RATES)
@pytest.mark.parametrize("format", FORMATS)
def test_it_gives_a_playable_start_with_the_first_160_ms(format, rate):
    first = create_encoder(format, rate).encode(voiced(0.16, rate))
    heard, heard_rate = decode(first, format)
    assert len(heard) / heard_rate >= 0.02
    assert np.abs(heard).max() > 0 or format == "aac"  # AAC's first frame is priming


@pytest.mark.parametrize("format", FORMATS)
def test_it_never_holds_back_more_than_a_fifth_of_a_second(format):
    encoder, rate = create_encoder(format, 24_000), 24_000
    data = b"".join(encoder.encode(piece) for piece in cut(voiced(2.0, rate), rate // 50))
    heard, heard_rate = decode(data, format)
    assert len(heard) / heard_rate >= 1.8


@pytest.mark.parametrize(
    ("format", "input_rate", "sample_rate", "expected"),
    [
        ("pcm", 22_050, None, 24_000),
        ("pcm", 48_000, 16_000, 16_000),
        ("wav", 22_050, None, 22_050),
        ("wav", 22_050, 8_000, 8_000),
        ("flac", 44_100, None, 44_100),
        ("flac", 44_100, 48_000, 48_000),
        ("opus", 22_050, None, 48_000),
        ("opus", 16_000, None, 48_000),
        ("mp3", 22_050, None, 22_050),
        ("mp3", 24_000, None, 24_000),
        ("mp3", 16_000, None, 22_050),
        ("mp3", 40_000, None, 44_100),
        ("mp3", 96_000, None, 48_000),
        ("aac", 48_000, None, 48_000),
        ("aac", 16_000, None, 22_050),
    ],
)
def test_it_keeps_the_engines_rate_where_the_format_states_one(
    format, input_rate, sample_rate, expected
):
    encoder = create_encoder(format, input_rate, sample_rate)
    data = encoded(encoder, [voiced(1.0, input_rate)])
    assert encoder.sample_rate == expected
    if format == "pcm":
        assert len(data) == 2 * expected
    else:
        assert decode(data, format)[1] == expected


def test_it_names_a_media_type_for_every_format():
    assert {name: create_encoder(name, 24_000).media_type for name in ENCODERS} == {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "wav": "audio/wav",
        "pcm": "audio/pcm",
    }


def test_it_states_the_rate_of_pcm_that_is_not_24_khz():
    assert create_encoder("pcm", 22_050).media_type == "audio/pcm"
    assert create_encoder("pcm", 22_050, 24_000).media_type == "audio/pcm"
    assert create_encoder("pcm", 22_050, 8_000).media_type == "audio/pcm;rate=8000;channels=1"


@pytest.mark.parametrize("format", ["mp3", "opus", "aac"])
def test_it_refuses_a_sample_rate_where_none_can_be_chosen(format):
    with pytest.raises(ValueError, match="cannot be chosen"):
        create_encoder(format, 24_000, 24_000)


@pytest.mark.parametrize("sample_rate", [0, 7_999, 48_001, -1])
def test_it_refuses_a_sample_rate_out_of_range(sample_rate):
    with pytest.raises(ValueError, match="8000 to 48000"):
        create_encoder("wav", 24_000, sample_rate)


def test_it_refuses_an_unknown_format():
    with pytest.raises(ValueError, match="unknown audio format 'ogg'"):
        create_encoder("ogg", 24_000)


@pytest.mark.parametrize("format", FORMATS)
def test_it_ends_once(format):
    encoder = create_encoder(format, 24_000)
    encoder.encode(voiced(0.16, 24_000))
    encoder.flush()
    assert encoder.flush() == b""
    with pytest.raises(ValueError, match="ended"):
        encoder.encode(voiced(0.16, 24_000))


@pytest.mark.parametrize("format", FORMATS)
def test_it_takes_an_empty_array_at_any_time(format):
    samples, nothing = voiced(0.5, 22_050), np.zeros(0, dtype=np.float32)
    encoder = create_encoder(format, 22_050)
    assert encoder.encode(nothing) == b""
    with_nothing = encoded(encoder, [samples[:4000], nothing, samples[4000:], nothing])
    plain = encoded(create_encoder(format, 22_050), [samples])
    assert len(with_nothing) == len(plain)


@pytest.mark.parametrize("format", FORMATS)
def test_it_ends_without_audio_in_at_most_a_header(format):
    headers = {"wav": b"RIFF", "flac": b"fLaC"}
    data = create_encoder(format, 24_000).flush()
    assert data[:4] == headers.get(format, b"")
    assert len(data) < 100


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("format", FORMATS)
def test_it_lets_nothing_that_is_no_number_into_a_container(format, value):
    encoder, samples = create_encoder(format, 24_000), voiced(0.16, 24_000)
    broken = samples.copy()
    broken[100] = value
    with pytest.raises(ValueError, match="NaN or infinity"):
        encoder.encode(broken)
    assert np.isfinite(decode(encoded(encoder, [samples]), format)[0]).all()


@pytest.mark.parametrize("format", FORMATS)
def test_it_saturates_what_is_too_loud(format):
    rate = 48_000 if format == "opus" else 24_000
    t = np.arange(rate) / rate
    loud = (4 * np.sin(2 * np.pi * 100 * t)).astype(np.float32)
    heard, _ = decode(encoded(create_encoder(format, rate), [loud]), format)
    # A wrapped sample would jump across the whole range from one sample to the next.
    assert np.abs(heard).max() > 0.9
    assert np.abs(np.diff(heard)).max() < 0.5


@pytest.mark.parametrize("format", FORMATS)
def test_it_saturates_the_largest_number_there_is(format):
    huge = np.full(4_800, np.finfo(np.float32).max, dtype=np.float32)
    heard, _ = decode(encoded(create_encoder(format, 22_050), [huge, -huge]), format)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() > 0.9
