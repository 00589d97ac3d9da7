"""Recordings for tests: real speech by espeak-ng in every container, and all that is no speech."""

from __future__ import annotations

import functools
import io
import struct

import av
import numpy as np
import soundfile

from speech.engine.espeak import EspeakEngine
from speech.engine.types import Utterance

RATE = 22_050
WORDS = "The quick brown fox jumps over the lazy dog, and nobody is surprised."
# name -> (muxer, codec, rate)
CONTAINERS = {
    "wav": ("wav", "pcm_s16le", 22_050),
    "flac": ("flac", "flac", 22_050),
    "mp3": ("mp3", "libmp3lame", 22_050),
    "ogg/vorbis": ("OGG", "VORBIS", 22_050),
    "ogg/opus": ("ogg", "libopus", 48_000),
    "webm/opus": ("webm", "libopus", 48_000),
    "mp4/aac": ("mp4", "aac", 22_050),
    "adts/aac": ("adts", "aac", 22_050),
}


@functools.cache
def spoken(text=WORDS, language="en"):
    """Somebody says it: float32 at ``RATE``."""
    engine = EspeakEngine()
    engine.start()
    try:
        chunks = engine.submit(Utterance(text, language=language))
        return np.concatenate([chunk.samples for chunk in chunks])
    finally:
        engine.stop()


def speech(seconds):
    """So much speech with pauses between sentences, cut at the end."""
    sentence = np.concatenate([spoken(), silence(0.4)])
    return np.resize(sentence, round(seconds * RATE))


def silence(seconds, rate=RATE):
    return np.zeros(round(seconds * rate), np.float32)


def noise(seconds, level=0.1, rate=RATE, seed=1):
    samples = level * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    return samples.astype(np.float32)


def wav(samples, rate=RATE, *, tag=1, bits=16, channels=1, guid=None, extra=b""):
    """A WAV file; ``samples`` are bytes as they are to stand in it, or floats."""
    if not isinstance(samples, bytes):
        if tag == 3:
            samples = samples.astype(f"<f{bits // 8}").tobytes()
        else:
            samples = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    if guid is not None:
        form += struct.pack("<HHI", 22, bits, 0) + guid
    chunks = extra + chunk(b"fmt ", form) + chunk(b"data", samples)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


@functools.cache
def clip(container, seconds=4.0):
    """So much speech in a container, as libraries and browsers write it."""
    muxer, codec, rate = CONTAINERS[container]
    if codec == "VORBIS":  # which PyAV reads, but does not write
        sink = io.BytesIO()
        soundfile.write(sink, speech(seconds), rate, format=muxer, subtype=codec)
        return sink.getvalue()
    return encode(speech(seconds), muxer, codec, rate)


def encode(samples, muxer, codec, rate, *, source_rate=RATE, bit_rate=None, **options):
    """The file that FFmpeg makes of ``samples``, mono or ``(channels, frames)``."""
    channels = np.atleast_2d(samples).astype(np.float32)
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[len(channels)]
    sink = io.BytesIO()
    with av.open(sink, "w", format=muxer, options=options) as target:
        stream = target.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        for start in range(0, channels.shape[1], 8192):
            packed = channels[:, start : start + 8192].T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), "flt", layout)
            frame.sample_rate = source_rate
            frame.pts = None
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return sink.getvalue()
