"""A file without the words, pictures and tables that nobody here looks at: what is easily told
apart is taken out, unread, before a library sees it. What has no end, or too much of it, is
refused.
"""

from __future__ import annotations

import re

from voices.containers import AAC, FLAC, MP3, MP4, OGG, WEBM, Container
from voices.exceptions import RefusedRecording
from voices.matroska import bare_matroska
from voices.mp4 import bare_mp4

# The libraries look through all remarks for each: a file with many would take for ever.
_REMARKS = 1000
_VORBIS_REMARKS = re.compile(rb"OpusTags|\x03vorbis")
# A tag may stand anywhere in a stream of frames.
_ID3 = re.compile(rb"ID3[\x02-\x04][^\xff].[\x00-\x7f]{4}", re.DOTALL)
_APE_FOOTER = 32
_ID3_V1 = 128


def bare(data: bytes, container: Container) -> bytes:
    """``data`` as the container's demuxer may have it. Raises RefusedRecording."""
    if container in (OGG, WEBM):
        _check_remarks(data, container)
    strip = _STRIPS.get(container)
    return strip(data) if strip else data


def _bare_flac(data: bytes) -> bytes:
    """Only the first of its blocks, which says what its sound is, and the sound."""
    position, is_last = 4, False
    while not is_last:
        head = data[position : position + 4]
        if len(head) < 4:
            raise RefusedRecording("invalid_audio", "The FLAC file is cut or damaged.")
        is_last = bool(head[0] & 0x80)
        position += 4 + int.from_bytes(head[1:], "big")
    first = 8 + int.from_bytes(data[5:8], "big")
    return data[:4] + bytes([data[4] | 0x80]) + data[5:first] + data[position:]


def _bare_stream(data: bytes) -> bytes:
    """Without tags, whose lengths have seven bits in each byte."""
    kept, position = [], 0
    while tag := _ID3.search(data, position):
        kept.append(data[position : tag.start()])
        head = tag.group()
        size = sum((head[6 + place] & 0x7F) << shift for place, shift in enumerate((21, 14, 7, 0)))
        position = tag.end() + size + (10 if head[5] & 0x10 else 0)
    return _without_footers(b"".join(kept) + data[position:])


def _without_footers(data: bytes) -> bytes:
    """The older kinds stand at the end."""
    while True:
        footer = data[-_APE_FOOTER:]
        if data[-_ID3_V1:].startswith(b"TAG"):
            data = data[:-_ID3_V1]
        elif footer.startswith(b"APETAGEX"):
            size = max(_APE_FOOTER, int.from_bytes(footer[12:16], "little"))
            data = data[: max(0, len(data) - size)]
        else:
            return data


def _check_remarks(data: bytes, container: Container) -> None:
    for found in _VORBIS_REMARKS.finditer(data):
        place = found.end() + 4 + int.from_bytes(data[found.end() : found.end() + 4], "little")
        if int.from_bytes(data[place : place + 4], "little") > _REMARKS:
            raise RefusedRecording(
                "invalid_audio", f"The {container.name} file holds too many remarks."
            )


_STRIPS = {
    FLAC: _bare_flac,
    MP3: _bare_stream,
    AAC: _bare_stream,
    WEBM: bare_matroska,
    MP4: bare_mp4,
}
