"""How a stream was cut into chunks must not be heard, nor seen in its bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.audio import Resampler, create_encoder

from .sound import cut, cut_at, encoded, voiced

SECONDS = 0.35
SOUNDS = {rate: voiced(SECONDS, rate) for rate in (16_000, 22_050, 24_000, 48_000)}
EDGES = st.lists(st.integers(0, round(SECONDS * 48_000)), max_size=12)


@pytest.mark.parametrize("format", ["pcm", "wav", "flac", "mp3", "aac", "opus"])
@settings(deadline=None, max_examples=25)
@given(rate=st.sampled_from(sorted(SOUNDS)), edges=EDGES, length=st.integers(1, 16_000))
def test_it_gives_the_same_bytes_for_any_chunks(format, rate, edges, length):
    samples = SOUNDS[rate][:length]
    whole = encoded(create_encoder(format, rate), [samples])
    pieces = encoded(create_encoder(format, rate), cut_at(samples, edges))
    if format == "opus":  # the Ogg serial number is random, and the page checksums with it
        assert len(pieces) == len(whole)
    else:
        assert pieces == whole


@settings(deadline=None, max_examples=25)
@given(edges=EDGES, rates=st.sampled_from([(22_050, 24_000), (48_000, 24_000), (16_000, 48_000)]))
def test_it_resamples_any_chunks_to_the_same_samples(edges, rates):
    def resampled(pieces):
        resampler = Resampler(*rates)
        out = [resampler.process(piece).tobytes() for piece in pieces]
        return b"".join([*out, resampler.flush().tobytes()])

    samples = SOUNDS[rates[0]]
    assert resampled(cut_at(samples, edges)) == resampled([samples])


def test_it_gives_the_same_bytes_from_many_threads():
    def work(format):
        return encoded(create_encoder(format, 24_000), cut(SOUNDS[24_000], 1_920))

    formats = ["mp3", "aac", "flac", "wav", "pcm"] * 4
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, formats)) == [work(format) for format in formats]
