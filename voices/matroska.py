"""Matroska's elements, of which WebM is made: those that sound needs stay as they are, all others
become void, in place, so that nobody reads tags, chapters and attachments."""

from __future__ import annotations

from voices.exceptions import RefusedRecording

# A segment and its clusters may be of unknown size: what is in them is read as if it stood in line.
_OPENED = frozenset((b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"))
_HEADS = frozenset((b"\x1a\x45\xdf\xa3", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b"))
"""What the file is, its information, its tracks."""
_BLOCK, _GROUP, _TIME, _VOID = b"\xa3", b"\xa0", b"\xe7", b"\xec"
_NEEDED = _HEADS | {_BLOCK, _GROUP, _TIME, _VOID}
# A head takes some hundred bytes, or some thousand with Vorbis' tables.
_LARGEST = 256 * 1024
# Thirty seconds in the shortest packets have fewer.
_MOST = 50_000


def bare_matroska(data: bytes) -> bytes:
    """Raises RefusedRecording for elements that are cut, too large or too many."""
    bare, position, seen = bytearray(data), 0, 0
    while position < len(data):
        seen += 1
        body = _end_of_number(data, position)
        content = _end_of_number(data, body)
        name = data[position:body]
        if name in _OPENED:
            position = content
            continue
        # The highest bit tells how many bytes the number has.
        size = int.from_bytes(data[body:content], "big") & ~(1 << 7 * (content - body))
        end = content + size
        if end > len(data):
            raise _broken()
        if seen > _MOST or (name in _HEADS | {_GROUP} and size > _LARGEST):
            raise RefusedRecording("invalid_audio", "The WebM file says too much of itself.")
        if name not in _NEEDED:
            bare[position:end] = _void(end - position)
        position = end
    return bytes(bare)


def _end_of_number(data: bytes, position: int) -> int:
    """Its first bits tell how many bytes it has: at most eight."""
    if position >= len(data) or not data[position]:
        raise _broken()
    end = position + 9 - data[position].bit_length()
    if end > len(data):
        raise _broken()
    return end


def _void(size: int) -> bytes:
    """An empty element of that many bytes, at least two."""
    if size < 9:
        return _VOID + bytes([0x80 | (size - 2)]) + bytes(size - 2)
    return _VOID + (1 << 56 | (size - 9)).to_bytes(8, "big") + bytes(size - 9)


def _broken() -> RefusedRecording:
    return RefusedRecording("invalid_audio", "The WebM file is cut or damaged.")
