"""A stored recording on its way to a player: by a signed link where the storage gives one, else
from here, whole or the range that was asked for, piece by piece.

Who may have it is the caller's business.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase

from voices import storage

_PIECE = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")


def deliver(
    request: HttpRequest,
    key: str,
    *,
    content_type: str = "audio/wav",
    disposition: str = 'attachment; filename="recording.wav"',
) -> HttpResponseBase:
    """The answer to a player or a download. Raises StorageUnavailable."""
    answer: HttpResponseBase
    if url := storage.link(key, content_type, disposition):
        answer = HttpResponseRedirect(url)
    else:
        answer = as_media(_from_here(request, key), content_type, disposition)
    answer["cache-control"] = "no-store"
    answer["referrer-policy"] = "no-referrer"
    return answer


def as_media(answer: HttpResponseBase, content_type: str, disposition: str) -> HttpResponseBase:
    """A player plays it; whoever opens it on its own gets a file, and never a page of this site."""
    answer["content-type"] = content_type
    answer["content-disposition"] = disposition
    answer["content-security-policy"] = "default-src 'none'"
    return answer


def _from_here(request: HttpRequest, key: str) -> HttpResponseBase:
    size = storage.size(key)
    tag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'  # what a key names never changes
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", tag) != tag:
        asked = ""
    span = byte_range(asked, size)
    if span is None:
        answer: HttpResponseBase = HttpResponse(status=416)
        answer["content-range"] = f"bytes */{size}"
        return answer
    begin, end = span
    is_part = end - begin < size
    answer = StreamingHttpResponse(_pieces(key, begin, end), status=206 if is_part else 200)
    if is_part:
        answer["content-range"] = f"bytes {begin}-{end - 1}/{size}"
    answer["content-length"] = str(end - begin)
    answer["accept-ranges"] = "bytes"
    answer["etag"] = tag
    return answer


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """From where to where, the end not included; None for a range that lies outside.

    Whatever is no single range of bytes is answered with the whole, as the standard allows.
    """
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if first and last and int(first) > int(last):
        return 0, size
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
    return (begin, end) if begin < end else None


async def _pieces(key: str, begin: int, end: int) -> AsyncIterator[bytes]:
    """What is read waits for what was sent: no more than a piece is ever in memory."""
    file = await sync_to_async(storage.opened, thread_sensitive=False)(key)
    read = sync_to_async(file.read, thread_sensitive=False)
    try:
        file.seek(begin)
        while begin < end and (piece := await read(min(_PIECE, end - begin))):
            begin += len(piece)
            yield piece
    finally:
        file.close()
