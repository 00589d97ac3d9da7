"""What is no good recording: files by name, each with the code it is refused with.

They are made when they are asked for, because all of them together take seconds and memory.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import numpy as np

from tests.voices.recordings import RATE, chunk, clip, encode, noise, silence, speech, wav

MB = 2**20


def flip(data, place=0.5):
    at = int(len(data) * place)
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def zipped():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("voice.wav", bytes(5 * MB))
    return sink.getvalue()


def long_flac(hours, channels=1):
    """Hours of silence, made of one frame over and over: as small as an encoder would have it."""
    one = np.zeros((channels, 4608 * 200), np.float32)
    whole = encode(one, "flac", "flac", 48_000, source_rate=48_000)
    head = 4 + 4 + 34
    total = int(hours * 3600 * 48_000)
    info = int.from_bytes(whole[18:26], "big")
    info = (info >> 36 << 36) | (total & (2**36 - 1))
    body = whole[whole.index(b"\xff\xf8", head) :]
    return whole[:18] + info.to_bytes(8, "big") + whole[26:head] + whole[head:] + body * 20


def opus(seconds):
    return encode(silence(seconds), "ogg", "libopus", 48_000, bit_rate=6000)


def adpcm(per_block):
    form = struct.pack("<HHIIHHHH", 0x11, 1, RATE, RATE, 1024, 4, 2, per_block)
    chunks = chunk(b"fmt ", form) + chunk(b"data", bytes(40_000))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def with_one(value):
    samples = speech(2).astype(np.float64)
    samples[1000] = value
    return samples


click = silence(2).copy()
click[5000:5020] = 0.9
seconds = np.arange(3 * RATE) / RATE
ODD_GUID = bytes(range(16))

REFUSED = {
    "0 bytes": (lambda: b"", "invalid_audio"),
    "1 byte": (lambda: b"R", "invalid_audio"),
    "12 bytes of RIFF": (lambda: wav(speech(2))[:12], "invalid_audio"),
    "header only": (lambda: wav(b""), "invalid_audio"),
    "44 bytes that promise more": (lambda: wav(speech(2))[:44], "invalid_audio"),
    "header cut at 30": (lambda: wav(speech(2))[:30], "invalid_audio"),
    "1 sample": (lambda: wav(silence(1 / RATE) + 0.5), "audio_too_short"),
    "0.2 s": (lambda: wav(speech(0.2)), "audio_too_short"),
    "0.99 s": (lambda: wav(speech(0.99)), "audio_too_short"),
    "all zeros": (lambda: wav(silence(3)), "audio_silent"),
    "DC": (lambda: wav(silence(3) + 0.5), "audio_silent"),
    "-80 dBFS": (lambda: wav(speech(3) * 3e-4), "audio_silent"),
    "one click": (lambda: wav(click), "no_speech"),
    "1 kHz tone": (lambda: wav(0.5 * np.sin(2 * np.pi * 1000 * seconds)), "no_speech"),
    "white noise": (lambda: wav(noise(3)), "no_speech"),
    "half a FLAC": (lambda: clip("flac")[: len(clip("flac")) // 2], "invalid_audio"),
    "flipped FLAC": (lambda: flip(clip("flac")), "invalid_audio"),
    "half an Ogg": (lambda: clip("ogg/vorbis")[: len(clip("ogg/vorbis")) // 2], "invalid_audio"),
    "flipped Ogg": (lambda: flip(clip("ogg/opus")), "invalid_audio"),
    "half an MP4": (lambda: clip("mp4/aac")[: len(clip("mp4/aac")) // 2], "invalid_audio"),
    "all NaN": (lambda: wav(silence(2) * np.nan, tag=3, bits=32), "non_finite_samples"),
    "one NaN": (lambda: wav(with_one(np.nan), tag=3, bits=32), "non_finite_samples"),
    "one infinity": (lambda: wav(with_one(np.inf), tag=3, bits=32), "non_finite_samples"),
    "a double NaN": (lambda: wav(with_one(np.nan), tag=3, bits=64), "non_finite_samples"),
    "a double no float holds": (lambda: wav(with_one(1e300), tag=3, bits=64), "non_finite_samples"),
    "1e30": (lambda: wav(speech(2) * 1e30, tag=3, bits=32), "audio_clipped"),
    "denormals": (lambda: wav(silence(2) + 1e-40, tag=3, bits=32), "audio_silent"),
    **{
        f"{rate} Hz": (lambda rate=rate: wav(speech(2), rate), "unsupported_sample_rate")
        for rate in (0, 1, 2**32 - 1, 4_000_000_000, 384_000, 655_350, 7999, 192_001)
    },
    **{
        f"{channels} channels": (
            lambda channels=channels: wav(bytes(60_000), channels=channels),
            "unsupported_channels",
        )
        for channels in (0, 6, 1024, 32_767)
    },
    "65,535 channels": (lambda: wav(bytes(MB), channels=65_535), "unsupported_channels"),
    "FLAC in 5.1": (
        lambda: encode(np.tile(speech(2), (6, 1)), "flac", "flac", RATE),
        "unsupported_channels",
    ),
    "FLAC at 384 kHz": (
        lambda: encode(speech(2), "flac", "flac", 384_000),
        "unsupported_sample_rate",
    ),
    "FLAC at 655,350 Hz with 8 channels": (
        lambda: encode(np.tile(speech(1), (8, 1)), "flac", "flac", 655_350, source_rate=655_350),
        "unsupported_sample_rate",
    ),
    "WAV with an unknown tag": (lambda: wav(speech(2), tag=0x1234), "unsupported_codec"),
    "MP3 in WAV": (lambda: wav(clip("mp3"), tag=0x55, bits=0), "unsupported_codec"),
    "A-law in WAV": (lambda: wav(bytes(40_000), tag=6, bits=8), "unsupported_codec"),
    "MS ADPCM": (lambda: wav(bytes(40_000), tag=2, bits=4), "unsupported_codec"),
    "IMA ADPCM": (lambda: adpcm(2041), "unsupported_codec"),
    "IMA ADPCM with absurd blocks": (lambda: adpcm(65_535), "unsupported_codec"),
    "EXTENSIBLE with an odd GUID": (
        lambda: wav(speech(2), tag=0xFFFE, guid=ODD_GUID),
        "unsupported_codec",
    ),
    "FLAC of 10 hours": (lambda: long_flac(10), "audio_too_long"),
    "FLAC of 10 hours in 8 channels": (lambda: long_flac(10, 8), "unsupported_channels"),
    "Opus of 100 seconds": (lambda: opus(100), "audio_too_long"),
    "zip": (lambda: zipped(), "unsupported_container"),
    "gzip": (lambda: gzip.compress(bytes(5 * MB)), "unsupported_container"),
    "tar": (
        lambda: b"voice.wav".ljust(257, b"\0") + b"ustar\x0000".ljust(255, b"\0"),
        "unsupported_container",
    ),
    "RAR": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(100), "unsupported_container"),
    "SVG": (
        lambda: b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>",
        "unsupported_container",
    ),
    "HTML": (
        lambda: b"<!doctype html><script>alert(1)</script>".ljust(80),
        "unsupported_container",
    ),
    "PDF": (lambda: b"%PDF-1.7\n".ljust(80), "unsupported_container"),
    "ELF": (lambda: b"\x7fELF".ljust(80, b"\0"), "unsupported_container"),
    "PHP": (lambda: b"<?php system($_GET['x']); ?>".ljust(80), "unsupported_container"),
    "m3u8": (
        lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n".ljust(80),
        "unsupported_container",
    ),
    "ffconcat": (
        lambda: b"ffconcat version 1.0\nfile /etc/passwd\n".ljust(80),
        "unsupported_container",
    ),
    "DASH": (
        lambda: b"<?xml version='1.0'?><MPD><BaseURL>http://x/".ljust(80),
        "unsupported_container",
    ),
    "SDP": (lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\n".ljust(80), "unsupported_container"),
    "JavaScript": (lambda: b"alert(1); // no sound".ljust(80), "unsupported_container"),
    "strm": (lambda: b"http://169.254.169.254/latest/\n".ljust(80), "unsupported_container"),
    "RTSP": (lambda: b"rtsp://127.0.0.1/secret\n".ljust(80), "unsupported_container"),
    "AU": (lambda: b".snd" + bytes(100), "unsupported_container"),
    "200,000 junk chunks": (
        lambda: b"RIFF\xff\xff\xff\x7fWAVE" + chunk(b"junk", b"") * 200_000,
        "invalid_audio",
    ),
}
