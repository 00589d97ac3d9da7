"""What can be measured of speech without hearing it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def rms(samples):
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def frames(samples, rate, seconds=0.046):
    """The voiced-loud frames, 20 ms apart."""
    length, step = round(seconds * rate), round(0.02 * rate)
    starts = range(0, len(samples) - length, step)
    cut = [samples[start : start + length].astype(float) for start in starts]
    loud = 0.5 * rms(samples)
    return [frame - frame.mean() for frame in cut if rms(frame) > loud]


def pitch(samples, rate):
    """The median fundamental in Hz, by autocorrelation between 60 and 400 Hz."""
    found = []
    for frame in frames(samples, rate):
        correlation = np.correlate(frame, frame, "full")[len(frame) - 1 :]
        low, high = rate // 400, rate // 60
        lag = low + int(correlation[low:high].argmax())
        if correlation[lag] > 0.5 * correlation[0]:
            found.append(rate / lag)
    return float(np.median(found))


def spectrum(samples, rate, bands=24):
    """The mean level in dB of bands from 100 Hz to 8 kHz, equally wide on a log scale, around 0."""
    edges = np.geomspace(100, 8000, bands + 1)
    power = np.zeros(bands)
    for frame in frames(samples, rate):
        bins = np.abs(np.fft.rfft(frame * np.hanning(len(frame)), 4096)) ** 2
        hertz = np.fft.rfftfreq(4096, 1 / rate)
        power += [bins[(hertz >= a) & (hertz < b)].mean() for a, b in pairwise(edges)]
    level = 10 * np.log10(power + 1e-12)
    return level - level.mean()


def semitones(first, second):
    return abs(12 * np.log2(first / second))


def spectral_distance(first, second):
    """Root mean square over the bands, in dB."""
    return float(np.sqrt(np.mean((first - second) ** 2)))
