"""When a listener could hear something, and how much in all: decided by decoding what came."""

from __future__ import annotations

import io

import av

from benchmarks.client import Frame, Take

DEMUXERS = {"wav": "wav", "mp3": "mp3", "opus": "ogg", "aac": "aac", "flac": "flac"}
PCM_RATE = 24_000


def decoded_seconds(data: bytes, response_format: str) -> float:
    """How long the audio in these bytes is, a cut end left out."""
    if response_format == "pcm":
        return len(data) // 2 / PCM_RATE
    seconds = 0.0
    try:
        with av.open(io.BytesIO(data), "r", format=DEMUXERS[response_format]) as container:
            for frame in container.decode(audio=0):
                seconds += frame.samples / frame.sample_rate
    except (av.error.InvalidDataError, av.error.EOFError):
        return seconds
    return seconds


def first_playable(take: Take, response_format: str) -> float:
    """Seconds from the request to the first byte with which a decoder gives sound."""
    received = b""
    for frame in take.frames:
        received += frame.data
        if decoded_seconds(received, response_format) > 0:
            return frame.at - take.began
    raise ValueError(f"Nothing in this {response_format} answer can be played.")


def is_short(take: Take, length: int) -> bool:
    """Whether something is missing: the proper end, or bytes of the ``length`` all have."""
    return not take.complete or sum(map(_size, take.frames)) != length


def _size(frame: Frame) -> int:
    return len(frame.data)
