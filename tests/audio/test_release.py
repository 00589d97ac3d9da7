"""What an encoder holds goes when the encoder goes, however that happens."""

from __future__ import annotations

import gc

import psutil
import pytest

from speech.audio import Tempo, create_encoder

from .sound import voiced

RATE = 24_000
MEBIBYTE = 1 << 20


def drop(encoder):
    encoder.encode(voiced(0.1, RATE))


def close(encoder):
    encoder.encode(voiced(0.1, RATE))
    encoder.close()
    encoder.close()


def flush(encoder):
    encoder.encode(voiced(0.1, RATE))
    encoder.flush()
    encoder.close()


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
@pytest.mark.parametrize("end", [drop, close, flush])
def test_it_frees_the_codec(format, end):
    assert growth(lambda: end(create_encoder(format, RATE))) < 8 * MEBIBYTE


def test_it_frees_the_filters():
    assert growth(lambda: Tempo(3.0, RATE).process(voiced(0.1, RATE))) < 8 * MEBIBYTE


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_it_takes_nothing_after_close(format):
    encoder = create_encoder(format, RATE)
    encoder.close()
    assert encoder.flush() == b""
    with pytest.raises(ValueError, match="ended"):
        encoder.encode(voiced(0.1, RATE))
