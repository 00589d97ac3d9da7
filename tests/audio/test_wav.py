"""The streamed WAV header, which clients parse from the first piece that arrives."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import soundfile

from speech.audio import create_encoder, to_s16

from .sound import encoded, voiced


def test_it_sends_44_bytes_of_header_together_with_the_first_audio():
    encoder, samples = create_encoder("wav", 22_050), voiced(0.16, 22_050)
    assert encoder.encode(samples[:0]) == b""
    first = encoder.encode(samples)
    assert first[44:] == to_s16(samples).tobytes()
    assert struct.unpack("<4sI4s4sIHHIIHH4sI", first[:44]) == (
        *(b"RIFF", 0xFFFFFFFF, b"WAVE"),
        *(b"fmt ", 16, 1, 1, 22_050, 44_100, 2, 16),
        *(b"data", 0xFFFFFFFF),
    )


def test_it_sends_the_header_with_the_first_audio_that_the_resampler_lets_go():
    encoder = create_encoder("wav", 22_050, 48_000)
    pieces = [encoder.encode(piece) for piece in np.split(voiced(0.2, 22_050), 90)]
    first = next(piece for piece in pieces if piece)
    assert first.startswith(b"RIFF")
    assert len(first) > 44
    assert b"RIFF" not in b"".join(pieces)[4:]


def test_it_is_read_by_wave_and_soundfile():
    samples = voiced(0.5, 24_000)
    data = encoded(create_encoder("wav", 24_000), [samples])
    with wave.open(io.BytesIO(data)) as reader:
        assert reader.readframes(10**6) == to_s16(samples).tobytes()
    heard, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == 24_000
    assert (heard == to_s16(samples)).all()
