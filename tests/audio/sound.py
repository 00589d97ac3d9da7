"""Test sounds, and the ways back from bytes to samples."""

from __future__ import annotations

import io
from itertools import pairwise

import av
import numpy as np

FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")


def voiced(seconds, rate, seed=1):
    """A gliding, pulsing voice-like buzz with some breath: no two moments of it are alike."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140 + 60 * np.sin(2 * np.pi * 0.7 * t)) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
    breath = 0.03 * np.random.default_rng(seed).standard_normal(len(t))
    return (0.15 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)) + breath).astype(np.float32)


def tone(frequency, seconds, rate, level=0.5):
    """A plain sine."""
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def cut(samples, size):
    """``samples`` in pieces of ``size``."""
    edges = [*range(0, len(samples), size), len(samples)]
    return [samples[start:end] for start, end in pairwise(edges)]


def cut_at(samples, edges):
    """``samples`` in the pieces between ``edges``."""
    return np.split(samples, sorted(min(edge, len(samples)) for edge in edges))


def encoded(encoder, pieces):
    """All the bytes of a stream."""
    return b"".join([*(encoder.encode(piece) for piece in pieces), encoder.flush()])


def decode(data, format):
    """What a listener's decoder makes of the bytes: float samples and their rate."""
    if format == "pcm":
        return np.frombuffer(data, "<i2").astype(np.float32) / 32768, 24_000
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples = np.concatenate(frames, axis=1)[0]
    return samples / 32768 if samples.dtype == np.int16 else samples, rate


def delay(heard, sent):
    """By how many samples ``heard`` lags ``sent``: the peak of their cross-correlation."""
    size = 2 * max(len(heard), len(sent))
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size))
    lag = int(np.argmax(np.fft.irfft(spectrum, size)))
    return lag if lag < size // 2 else lag - size


def likeness(heard, sent):
    """The correlation coefficient of two signals of one length."""
    return float(np.corrcoef(heard, sent)[0, 1])
