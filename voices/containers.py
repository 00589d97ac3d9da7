"""What an upload is, told from its first bytes alone: its name and stated type are never asked.

A container names the one demuxer that may look at it and the codecs it may hold, so that no file
can talk a library into playlists, other files or rarely used decoders.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from voices.exceptions import RefusedRecording

# The shortest file of any container we take is longer.
_SHORTEST = 44


@dataclass(frozen=True, slots=True)
class Container:
    """``demuxer`` is PyAV's name, "" for WAV, which we read ourselves.

    A file is whole or refused, and ``slack`` is by how many seconds its padding may make it shorter
    than it says it is; of an MP3 or AAC stream that is cut what is left is taken.
    """

    name: str
    demuxer: str
    codecs: frozenset[str]
    may_be_cut: bool = False
    slack: float = 0.2


WAV = Container("WAV", "", frozenset())
FLAC = Container("FLAC", "flac", frozenset({"flac"}), slack=0.001)
OGG = Container("Ogg", "ogg", frozenset({"vorbis", "opus"}))
MP3 = Container("MP3", "mp3", frozenset({"mp3", "mp3float"}), may_be_cut=True)
AAC = Container("AAC", "aac", frozenset({"aac"}), may_be_cut=True)
WEBM = Container("WebM", "matroska", frozenset({"opus", "vorbis"}))
MP4 = Container("MP4", "mp4", frozenset({"aac", "opus"}))


def recognize(data: bytes) -> Container:
    """The container of ``data``. Raises RefusedRecording where it is none that we take."""
    if len(data) < _SHORTEST:
        raise RefusedRecording("invalid_audio", "The file is empty or cut off in its header.")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return WAV
    if data[4:8] == b"ftyp":
        return MP4
    for magic, container in _MAGIC:
        if data.startswith(magic):
            return container
    if data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        return AAC if data[1] & 0xF6 == 0xF0 else MP3
    raise RefusedRecording(
        "unsupported_container", "Send WAV, FLAC, MP3, AAC, Ogg (Vorbis or Opus), WebM or MP4."
    )


_MAGIC = ((b"fLaC", FLAC), (b"OggS", OGG), (b"ID3", MP3), (b"\x1aE\xdf\xa3", WEBM))


def check_ogg(data: bytes) -> None:
    """Every page must be there in full and match its checksum, which the demuxer only reports."""
    position = 0
    while position < len(data):
        head = data[position : position + 27]
        if len(head) < 27 or head[:4] != b"OggS":
            raise _broken_ogg()
        table = data[position + 27 : position + 27 + head[26]]
        end = position + 27 + head[26] + sum(table)
        if end > len(data):
            raise _broken_ogg()
        stated = int.from_bytes(head[22:26], "little")
        page = data[position : position + 22] + bytes(4) + data[position + 26 : end]
        if _ogg_checksum(page) != stated:
            raise _broken_ogg()
        position = end


def _broken_ogg() -> RefusedRecording:
    return RefusedRecording("invalid_audio", "The Ogg file is cut or damaged.")


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_checksum(page: bytes) -> int:
    """Ogg's CRC is zlib's with the bits of every byte in the other order and nothing inverted."""
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)
