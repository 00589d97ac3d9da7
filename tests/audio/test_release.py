"""What an encoder holds goes when the encoder goes, however that happens."""

from __future__ import annotations

import gc

import psutil
import pytest

from speech.audio import Tempo, create_encoder

from .sound import voiced

pytestmark = pytest.mark.slow

RATE = 24_000
MEBIBYTE = 1 << 20


def drop(encoder):
    encoder.encode(voiced(0.1, RATE))


def flush(encoder):
    encoder.encode(voiced(0.1, RATE))
    encoder.flush()


def growth(act, times=150):
    """By how many bytes the process grows over ``times`` acts, with no garbage collection."""
    gc.disable()
    try:
        for _ in range(10):
            act()
        before = psutil.Process().memory_info().rss
        for _ in range(times):
            act()
        return psutil.Process().memory_info().rss - before
    finally:
        gc.enable()


@pytest.mark.parametrize("format", ["flac", "mp3", "opus", "aac"])
@pytest.mark.parametrize("end", [drop, flush])
def test_it_frees_the_codec(format, end):
    assert growth(lambda: end(create_encoder(format, RATE))) < 8 * MEBIBYTE


def test_it_frees_the_filters():
    assert growth(lambda: Tempo(3.0, RATE).process(voiced(0.1, RATE))) < 8 * MEBIBYTE


@pytest.mark.parametrize("format", ["flac", "mp3", "opus", "aac"])
def test_a_stream_that_has_ended_holds_no_threads_whoever_keeps_its_encoder(format):
    gc.disable()
    try:
        before = psutil.Process().num_threads()
        kept = [create_encoder(format, RATE) for _ in range(3)]
        for encoder in kept:
            flush(encoder)
        assert psutil.Process().num_threads() == before
    finally:
        gc.enable()


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_it_takes_nothing_after_its_end(format):
    encoder = create_encoder(format, RATE)
    encoder.flush()
    assert encoder.flush() == b""
    with pytest.raises(ValueError, match="ended"):
        encoder.encode(voiced(0.1, RATE))
