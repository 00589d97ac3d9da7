"""Answers the server gives by itself, before or instead of the application.

Always the error envelope of the API as JSON, with a request id, and always the last thing on its
connection. It does not know when one is due.
"""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error: its status, the four fields of the envelope, and when to come back."""

    status: int
    type: str
    code: str | None
    message: str
    retry_after: int | None = None
    reason: str | None = None

    def body(self) -> bytes:
        """The envelope; a readiness probe also reads the reason beside it."""
        error = {"message": self.message, "type": self.type, "param": None, "code": self.code}
        extra = {"ready": False, "reasons": [self.reason]} if self.reason else {}
        return json.dumps({"error": error, **extra}).encode()

    def headers(self) -> list[tuple[str, str]]:
        """Names and values, without those that frame the message."""
        headers = [
            ("content-type", "application/json"),
            ("x-request-id", f"req_{uuid.uuid4().hex}"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ]
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers.append(("www-authenticate", "Bearer"))
        if self.retry_after is not None:
            headers.append(("retry-after", str(self.retry_after)))
        return headers

    def render(self) -> bytes:
        """The whole HTTP/1.1 response, after which the connection closes."""
        body = self.body()
        framing = [("content-length", str(len(body))), ("connection", "close")]
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers() + framing]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def bad_request(message: str) -> Refusal:
    """For what cannot be read as HTTP at all."""
    return Refusal(400, "invalid_request_error", "invalid_body", message)


def no_key(shown: bool) -> Refusal:
    """For a large body without a key, or with one (`shown`) that cannot be a key of ours."""
    if shown:
        return Refusal(
            401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."
        )
    return Refusal(
        401,
        "invalid_request_error",
        None,
        "You didn't provide an API key. Send it in an Authorization header: Bearer YOUR_KEY.",
    )


def not_allowed(message: str) -> Refusal:
    """For a WebSocket the application does not accept."""
    return Refusal(403, "permission_error", "not_allowed", message)


def too_many_sockets() -> Refusal:
    """For a WebSocket of somebody who has as many as they may have."""
    message = "Too many connections are open already. Close some, then try again."
    return Refusal(429, "requests", "concurrency_limit_exceeded", message, retry_after=1)


def too_large(cap: int) -> Refusal:
    """For a body above the cap of its path."""
    message = f"The request body is larger than the {cap} bytes allowed here."
    return Refusal(413, "invalid_request_error", "payload_too_large", message)


REQUEST_TIMEOUT = Refusal(
    408, "timeout_error", "request_timeout", "The request did not arrive in time.", retry_after=1
)
URL_TOO_LONG = Refusal(414, "invalid_request_error", "url_too_long", "The URL is too long.")
HEADERS_TOO_LARGE = Refusal(
    431, "invalid_request_error", "headers_too_large", "The request headers are too large."
)
INTERNAL_ERROR = Refusal(500, "server_error", "internal_error", "The server had an error.")


def shutting_down(seconds: float, reason: str | None = None) -> Refusal:
    """For new requests while the running ones are finished."""
    return Refusal(
        503,
        "service_unavailable_error",
        "shutting_down",
        "The server is shutting down. Please try again shortly.",
        # Not all at once: the next process has to start first.
        retry_after=max(1, min(60, round(seconds * random.uniform(1, 1.25)))),
        reason=reason,
    )
