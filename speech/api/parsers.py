"""Strict JSON: what a hostile or broken body can hold is refused here, in the table's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from speech.errors import InvalidField, RequestError, UnsupportedContentEncoding

MAX_DEPTH = 32
# Beyond this an integer is no setting of ours; reading it digit by digit would cost quadratic time.
MAX_DIGITS = 400


def json_body(request: Request) -> dict[str, Any]:
    """The request's body: a JSON object in UTF-8, without duplicate keys, not deeper than 32.

    Numbers no float can hold become infinite, so that the field they stand in is what is refused.
    Stands in for DRF's ``request.data``, which never shows a parser an empty body.
    """
    _check_headers(request.headers)
    return parse_object(request._request.body)


def check_encoding(headers: Mapping[str, str]) -> None:
    """Raise UnsupportedContentEncoding for a compressed body."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedContentEncoding("Send the body uncompressed.")


def _check_headers(headers: Mapping[str, str]) -> None:
    check_encoding(headers)
    kind, _, parameters = headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "application/json":
        raise RequestError("Send the body as application/json.", code="unsupported_content_type")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if charset.startswith("charset=") and charset != "charset=utf-8":
        raise RequestError("The body must be UTF-8.", code="invalid_json")


def parse_object(body: bytes) -> dict[str, Any]:
    """The object in ``body``. Raises RequestError with the table's code."""
    try:
        # A byte order mark is tolerated: some Windows tools write one.
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=float,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        if not body.strip():
            raise RequestError("The body is empty.", code="invalid_body") from None
        raise RequestError("The body is not valid JSON.", code="invalid_json") from None
    if not isinstance(value, dict):
        raise RequestError("The body must be a JSON object.", code="invalid_body")
    if _depth(value) > MAX_DEPTH:
        raise RequestError("The body is nested too deeply.", code="invalid_json")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        shown = twice[:100].encode("ascii", "replace").decode()
        raise InvalidField(f"{shown}: The key stands twice in the body.", shown, "duplicate_key")
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else float("inf")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            item
            for part in level
            for item in (
                part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
            )
        ]
    return deepest
