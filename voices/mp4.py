"""MP4's boxes: those that sound needs stay as they are, all others become free space, in place, so
that nobody reads words and pictures, inflates what is compressed, or follows a reference to
another file."""

from __future__ import annotations

from voices.exceptions import RefusedRecording

_OF_BOXES = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex"))
_OF_BOXES |= {b"moof", b"traf"}
_NEEDED = frozenset((b"ftyp", b"mdat", b"free", b"skip", b"wide", b"mvhd", b"tkhd", b"elst"))
_NEEDED |= {b"mdhd", b"hdlr", b"stsd", b"stts", b"stsc", b"stsz", b"stz2", b"stco", b"co64"}
_NEEDED |= {b"ctts", b"stss", b"sgpd", b"sbgp", b"mehd", b"trex", b"mfhd", b"tfhd", b"tfdt"}
_NEEDED |= {b"trun"}
# A description of sound, which may hold boxes of its own, takes some hundred bytes.
_DESCRIPTION = b"stsd"
_LARGEST_DESCRIPTION = 64 * 1024
# Thirty seconds in the smallest fragments have fewer.
_MOST = 20_000


def bare_mp4(data: bytes) -> bytes:
    """Raises RefusedRecording for boxes that do not fit into each other, or are too many."""
    bare, inside, seen = bytearray(data), [(0, len(data))], 0
    while inside:
        position, end = inside.pop()
        while position < end:
            seen += 1
            kind, body, after = _box(data, position, end)
            if seen > _MOST or (kind == _DESCRIPTION and after - body > _LARGEST_DESCRIPTION):
                raise RefusedRecording("invalid_audio", "The MP4 file says too much of itself.")
            if kind in _OF_BOXES:
                inside.append((body, after))
            elif kind not in _NEEDED:
                bare[position + 4 : position + 8] = b"free"
            position = after
    return bytes(bare)


def _box(data: bytes, position: int, end: int) -> tuple[bytes, int, int]:
    """Of the box there: its kind, where its content begins, and where it ends."""
    body = position + 8
    size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : body]
    if size == 1:
        size = int.from_bytes(data[body : body + 8], "big")
        body += 8
    after = position + size if size else end
    if not body <= after <= end:
        raise RefusedRecording("invalid_audio", "The MP4 file is cut or damaged.")
    return kind, body, after
