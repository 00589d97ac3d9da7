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

pytestmark = pytest.mark.slow

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


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mp4_with(*flood, into=(b"moov",)):
    """With boxes at the end of one in others, all of which stand behind the sound."""
    file, extra = bytearray(clip("mp4/aac")), b"".join(flood)
    for kind in into:
        at = file.index(kind) - 4
        (size,) = struct.unpack_from(">I", file, at)
        struct.pack_into(">I", file, at, size + len(extra))
    return bytes(file[: at + size]) + extra + bytes(file[at + size :])


def itunes(count):
    """As the shop's files have it, under a name of its own each."""
    items = [box(b"%04d" % number, box(b"data", bytes(8) + b"1234")) for number in range(count)]
    head = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(10))
    return box(b"udta", box(b"meta", bytes(4) + head + box(b"ilst", b"".join(items))))


def element(name, body):
    return name + (1 << 56 | len(body)).to_bytes(8, "big") + body


def simple_tag(number):
    named = element(b"\x45\xa3", b"KEY%06d" % number) + element(b"\x44\x87", b"1234")
    return element(b"\x67\xc8", named)


def tags(count):
    each = b"".join(simple_tag(number) for number in range(count))
    return element(b"\x12\x54\xc3\x67", element(b"\x73\x73", each))


def chapters(count):
    atoms = [
        element(b"\xb6", element(b"\x73\xc4", struct.pack(">I", number)) + element(b"\x91", b"\1"))
        for number in range(1, count)
    ]
    return element(b"\x10\x43\xa7\x70", element(b"\x45\xb9", b"".join(atoms)))


def attachments(count):
    named = element(b"\x46\x6e", b"a.png") + element(b"\x46\x5c", bytes(9))
    return element(b"\x19\x41\xa4\x69", element(b"\x61\xa7", named) * count)


def webm_with(extra):
    """In front of the first cluster, and behind the last."""
    file = clip("webm/opus")
    at = file.index(b"\x1f\x43\xb6\x75")
    return file[:at] + extra + file[at:] + extra


def ape(count):
    items = b"".join(struct.pack("<II", 4, 0) + b"KEY%06d\x001234" % n for n in range(count))
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, count, 0) + bytes(8)
    return items + footer


EVERYWHERE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
FLOODS = {
    "words in MP4": (lambda: mp4_with(itunes(9999) * 8), lambda: clip("mp4/aac")),
    "words deep in MP4": (
        lambda: mp4_with(itunes(9999) * 8, into=EVERYWHERE),
        lambda: clip("mp4/aac"),
    ),
    "words in WebM": (lambda: webm_with(tags(60_000)), lambda: clip("webm/opus")),
    "chapters in WebM": (lambda: webm_with(chapters(90_000)), lambda: clip("webm/opus")),
    "attachments in WebM": (lambda: webm_with(attachments(50_000)), lambda: clip("webm/opus")),
    "words in AAC": (
        lambda: clip("adts/aac") + id3(MANY) + clip("adts/aac"),
        lambda: clip("adts/aac") * 2,
    ),
    "words at the end of MP3": (lambda: clip("mp3") + ape(60_000), lambda: clip("mp3")),
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


@pytest.mark.parametrize(
    "flood",
    [
        lambda: clip("mp4/aac") + box(b"free", b"") * 30_000,
        lambda: mp4_with(box(b"stsd", bytes(70_000))),
        lambda: clip("webm/opus") + element(b"\xa0", b"") * 60_000,
        lambda: clip("webm/opus") + element(b"\xa0", bytes(300_000)),
        lambda: clip("webm/opus") + element(b"\x16\x54\xae\x6b", bytes(300_000)),
    ],
    ids=["boxes", "description", "elements", "group", "tracks"],
)
def test_what_cannot_be_passed_over_is_refused(flood):
    with pytest.raises(RefusedRecording, match="too much of itself"):
        take(flood())


@pytest.mark.parametrize(
    ("container", "end"),
    [
        ("mp4/aac", b"\0\0\0\x07moov"),
        ("mp4/aac", b"\0\0\xff\xffmoov"),
        ("mp4/aac", b"\0\0\0\1moov" + bytes([255] * 8)),
        ("mp4/aac", b"\0\0"),
        ("webm/opus", b"\0"),
        ("webm/opus", b"\xa3"),
        ("webm/opus", b"\x1f\x43"),
        ("webm/opus", b"\xa3\xff"),
        ("webm/opus", b"\xa3\x10\0\0\1"),
    ],
)
def test_boxes_and_elements_without_an_end_are_refused(container, end):
    with pytest.raises(RefusedRecording, match="cut or damaged"):
        take(clip(container) + end)


@pytest.mark.parametrize("cut", [42, 44])
def test_a_flac_file_that_ends_among_it_is_refused(cut):
    with pytest.raises(RefusedRecording) as refused:
        take(flac_with((4, remarks(3)))[:cut].ljust(60, b"\x04"))
    assert refused.value.code == "invalid_audio"
