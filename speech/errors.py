"""The one table from an exception to what a client is told about it.

Every face and every layer below Django answers through ``describe``; the table itself stands in
``docs/api.md`` and a test holds the two together. Knows nothing of requests or responses.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.request import RawPostDataException
from rest_framework import exceptions as drf

from speech.engine import errors as engine

INVALID = "invalid_request_error"
UNAVAILABLE = "service_unavailable_error"
_LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """What a client is told: a status, the envelope's four keys and how to retry."""

    status: int
    type: str
    code: str | None
    message: str
    param: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    allow: str | None = None

    @property
    def envelope(self) -> dict[str, dict[str, str | None]]:
        """OpenAI's body; all four keys are always there."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }

    @property
    def headers(self) -> dict[str, str]:
        headers = {}
        if self.retry_after is not None:
            wait = _spread(self.retry_after)
            headers["retry-after"] = str(round(wait))
            headers["retry-after-ms"] = str(round(wait * 1000))
        if self.should_retry is not None:
            headers["x-should-retry"] = "true" if self.should_retry else "false"
        if self.allow:
            headers["allow"] = self.allow
        return headers


def _spread(seconds: float) -> float:
    """Between 1 and 60 s: clients ignore longer ones and hammer at zero. Up to a quarter more than
    is due, or those who were refused together would come back together."""
    due = max(1, min(_LONGEST_WAIT, math.ceil(seconds)))
    latest = min(_LONGEST_WAIT, due * 1.25)
    return random.uniform(min(due, latest * 0.8), latest)


class RequestError(Exception):
    """A request we refuse: subclasses fix the status, type and code of the table's row."""

    status: int = HTTPStatus.BAD_REQUEST
    type = INVALID
    code: str | None = "invalid_value"
    retry_after: float | None = None
    should_retry: bool | None = None

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.code


class InvalidField(RequestError):
    """A field's value is not acceptable; ``param`` names it."""


class ModelNotFound(RequestError):
    """No model of that name speaks here."""

    status = HTTPStatus.NOT_FOUND
    code = "model_not_found"


class AudioTooLarge(RequestError):
    """More audio than fits into an answer that comes whole."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "audio_too_large"


class UnsupportedContentEncoding(RequestError):
    """The body is compressed; we take it plain only."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_content_encoding"


class ShuttingDown(RequestError):
    """The server drains."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    type = UNAVAILABLE
    code = "shutting_down"
    retry_after = 5


def describe(error: BaseException) -> Failure:
    """The table, row by row. What it does not know is our bug and says nothing of itself."""
    if isinstance(error, engine.EngineError):
        return _engine_failure(error)
    if hasattr(error, "status"):
        return _own_failure(error)
    if isinstance(error, drf.APIException):
        return _drf_failure(error)
    for kind, failure in _DJANGO:
        if isinstance(error, kind):
            return failure
    return INTERNAL


def _own_failure(error: Any) -> Failure:
    return Failure(
        int(error.status),
        error.type,
        error.code,
        str(error),
        getattr(error, "param", None),
        getattr(error, "retry_after", None),
        getattr(error, "should_retry", None),
    )


def _engine_failure(error: engine.EngineError) -> Failure:
    match error:
        case engine.UnsupportedByEngine():
            return Failure(400, INVALID, "unsupported_by_model", error.message, error.param)
        case engine.InvalidUtterance():
            return Failure(400, INVALID, "invalid_value", error.message, error.param)
        case engine.EngineBusy():
            code = "server_is_overloaded"
            return Failure(503, UNAVAILABLE, code, error.message, retry_after=error.retry_after)
        case engine.QueueTimeout():
            code = "queue_timeout"
            return Failure(503, UNAVAILABLE, code, error.message, retry_after=error.retry_after)
        case engine.EngineUnavailable():
            code = "engine_unavailable"
            return Failure(503, UNAVAILABLE, code, error.message, retry_after=error.retry_after)
    return Failure(500, "server_error", "synthesis_failed", "The engine failed at this text.")


def _drf_failure(error: drf.APIException) -> Failure:
    match error:
        case drf.ValidationError():
            return _invalid(error.detail)
        case drf.MethodNotAllowed():
            return Failure(405, INVALID, "method_not_allowed", str(error.detail))
        case drf.UnsupportedMediaType():
            message = "Send the body as application/json."
            return Failure(400, INVALID, "unsupported_content_type", message)
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return NO_KEY_FAILURE
        case drf.NotFound():
            return NOT_FOUND
        case drf.PermissionDenied():
            return Failure(403, "permission_error", "not_allowed", str(error.detail))
        case drf.ParseError():
            return Failure(400, INVALID, "invalid_json", str(error.detail))
    return INTERNAL


def _invalid(detail: Any, param: str | None = None) -> Failure:
    """The first complaint of a serializer, with the path of the field it is about."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        own = None if name == "non_field_errors" else str(name)
        return _invalid(inner, f"{param}.{own}" if param and own else own or param)
    first = detail[0] if isinstance(detail, list) else detail
    if isinstance(first, dict):
        return _invalid(first, param)
    code = _VALIDATION_CODES.get((param, first.code)) or _VALIDATION_CODES.get((None, first.code))
    code = code or "invalid_value"
    return Failure(400, INVALID, code, f"{param}: {first}" if param else str(first), param)


_VALIDATION_CODES = {
    (None, "required"): "missing_required_parameter",
    ("input", "blank"): "empty_input",
    ("input", "max_length"): "input_too_long",
    ("text", "blank"): "empty_input",
    ("text", "max_length"): "input_too_long",
}
NO_KEY = (
    "You didn't provide an API key. Send it in an Authorization header: "
    "Authorization: Bearer YOUR_KEY."
)
NO_KEY_FAILURE = Failure(401, INVALID, None, NO_KEY)
NOT_FOUND = Failure(404, INVALID, "not_found", "There is no such thing here.")
UNKNOWN_URL = Failure(404, INVALID, "unknown_url", "There is nothing at this URL.")
INTERNAL = Failure(500, "server_error", "internal_error", "Something went wrong on our side.")
_DATABASE = Failure(
    503, UNAVAILABLE, "database_unavailable", "The database did not answer.", retry_after=2
)
_DJANGO: list[tuple[type[Exception], Failure]] = [
    (Http404, UNKNOWN_URL),
    (OperationalError, _DATABASE),
    (InterfaceError, _DATABASE),
    (DisallowedHost, Failure(400, INVALID, "invalid_value", "This Host is not served here.")),
    (RequestDataTooBig, Failure(413, INVALID, "payload_too_large", "The body is too large.")),
    (SuspiciousOperation, Failure(400, INVALID, "invalid_body", "The request is malformed.")),
    (BadRequest, Failure(400, INVALID, "invalid_body", "The request is malformed.")),
    (RawPostDataException, Failure(400, INVALID, "invalid_body", "The request is malformed.")),
]
