"""Files of jobs on their way out: whole or one range of it, read as the client takes it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from http import HTTPStatus

from django.core.files.base import File
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from speech.errors import RequestError
from speech.longform.storage import open_file, size_of
from speech.longform.work import aside

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PIECE = 256 * 1024


class RangeNotSatisfiable(RequestError):
    """The file is not that long."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    code = "range_not_satisfiable"


def file_response(request: Request, key: str, media_type: str, name: str) -> HttpResponseBase:
    """What is kept under ``key``. Raises NotFound where it is gone."""
    try:
        size, file = size_of(key), open_file(key)
    except FileNotFoundError:
        raise NotFound from None
    etag = f'"{key.rpartition("/")[2].rpartition(".")[0]}"'
    try:
        start, end = _range(request, etag, size)
    except RequestError:
        file.close()
        raise
    is_part = (start, end) != (0, size)
    response = StreamingHttpResponse(
        _read(file, start, end), status=206 if is_part else 200, content_type=media_type
    )
    response["content-length"] = str(end - start)
    response["accept-ranges"] = "bytes"
    response["etag"] = etag
    response["cache-control"] = "private, no-cache"
    response["content-disposition"] = content_disposition_header(True, name)
    response["content-security-policy"] = "default-src 'none'; sandbox"
    if is_part:
        response["content-range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _range(request: Request, etag: str, size: int) -> tuple[int, int]:
    """Begin and end of what is wanted; several ranges, or a changed file, mean all of it."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    unchanged = request.headers.get("if-range", etag) == etag
    if asked is None or not unchanged or asked.group() == "bytes=-":
        return 0, size
    first, last = asked.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= size or start >= end:
        raise RangeNotSatisfiable(f"The file has {size} bytes.")
    return start, end


async def _read(file: File[bytes], start: int, end: int) -> AsyncGenerator[bytes]:
    try:
        await aside(file.seek, start)
        left = end - start
        while left and (piece := await aside(file.read, min(_PIECE, left))):
            left -= len(piece)
            yield piece
    finally:
        file.close()
