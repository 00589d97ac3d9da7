"""What a file says of itself beside its sound costs nothing, however much of it there is: it is
dropped unread, or the file is refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.voices.recordings import chunk, clip, speech, wav
from voices.containers import _ogg_checksum
from voices.decoding import Decoder
from voices.exceptions import RefusedRecording
from voices.samples import Cut

MANY = 100_000
MB = 2**20


def remarks(count):
    """As Vorbis, Opus and FLAC write them."""
    each = [b"KEY%06d=1234" % number for number in range(count)]
    packed = b"".join(struct.pack("<I", len(remark)) + remark for remark in each)
    return struct.pack("<II", 0, count) + packed


def flac_with(*blocks):
    plain = clip("flac")
    packed = [bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in blocks]
    return plain[:42] + b"".join(packed) + plain[42:]


def picture():
    return struct.pack(">II", 3, 9) + b"image/png" + bytes(9 * MB)


def syncsafe(size):
    return bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))


def id3(count):
    words = [b"\x03KEY%06d\x001234\x00" % number for number in range(count)]
    frames = b"".join(b"TXXX" + syncsafe(len(word)) + bytes(2) + word for word in words)
    return b"ID3\x04\x00\x00" + syncsafe(len(frames)) + frames


def cues(count):
    points = [struct.pack("<II4sIII", at, at, b"data", 0, 0, at) for at in range(count)]
    return chunk(b"cue ", struct.pack("<I", count) + b"".join(points))


def loops(count):
    return chunk(b"smpl", struct.pack("<9I", *[0] * 7, count, 0) + bytes(24 * count))


def plain_wav(extra=b""):
    return wav(speech(4), extra=extra)


FLOODS = {
    "words in FLAC": (lambda: flac_with((4, remarks(MANY))), lambda: clip("flac")),
    "a cover in FLAC": (lambda: flac_with((6, picture())), lambda: clip("flac")),
    "words in MP3": (lambda: id3(MANY) + clip("mp3"), lambda: clip("mp3")),
    "tag after tag in MP3": (lambda: id3(1) * 50_000 + clip("mp3"), lambda: clip("mp3")),
    "cues in WAV": (lambda: plain_wav(cues(MANY)), plain_wav),
    "loops in WAV": (lambda: plain_wav(loops(MANY)), plain_wav),
    "a list in WAV": (lambda: plain_wav(chunk(b"LIST", bytes(8 * MB))), plain_wav),
}


def take(data):
    """The sample, in less than a second of the child's own time."""
    with Decoder() as decoder:
        try:
            return decoder.decode(io.BytesIO(data), len(data), Cut.BEST)
        finally:
            ticks = Path(f"/proc/{decoder.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            assert sum(map(int, ticks)) < 100


@pytest.mark.parametrize("flood", FLOODS)
def test_it_is_dropped_unread(flood):
    flooded, plain = FLOODS[flood]
    assert take(flooded()).wav == take(plain()).wav


@pytest.mark.parametrize(
    ("container", "mark"), [("ogg/opus", b"OpusTags"), ("ogg/vorbis", b"\x03vorbis")]
)
def test_an_ogg_file_with_too_much_of_it_is_refused(container, mark):
    file = bytearray(clip(container))
    at = file.index(mark) + len(mark)
    at += 4 + int.from_bytes(file[at : at + 4], "little")
    assert take(bytes(file)).wav
    file[at : at + 4] = struct.pack("<I", MANY)
    page = file.rindex(b"OggS", 0, at)
    body = page + 27 + file[page + 26]
    end = body + sum(file[page + 27 : body])
    file[page + 22 : page + 26] = bytes(4)
    file[page + 22 : page + 26] = struct.pack("<I", _ogg_checksum(bytes(file[page:end])))
    with pytest.raises(RefusedRecording, match="too many remarks"):
        take(bytes(file))


@pytest.mark.parametrize("cut", [42, 44])
def test_a_flac_file_that_ends_among_it_is_refused(cut):
    with pytest.raises(RefusedRecording) as refused:
        take(flac_with((4, remarks(3)))[:cut].ljust(60, b"\x04"))
    assert refused.value.code == "invalid_audio"
