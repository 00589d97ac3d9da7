"""Errors on their way out: DRF's handler and Django's, both through the one table in speech.

Under the API's URLs every error is OpenAI's JSON envelope; elsewhere people get a page.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults
from rest_framework.response import Response

from speech.api.responses import failure_response, logged
from speech.errors import INTERNAL, UNKNOWN_URL, describe

API = re.compile(r"/(v1|api|audio|models|mcp)(/|$)")


def is_api(path: str) -> bool:
    """Whether the path belongs to a face that speaks JSON."""
    return API.match(path) is not None


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's slot: what any APIView raises becomes the envelope."""
    failure = logged(error)
    if failure.status == 405:
        allowed = ", ".join(context["view"].allowed_methods)
        return Response(failure.envelope, 405, headers={**failure.headers, "allow": allowed})
    return Response(failure.envelope, failure.status, headers=failure.headers)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if is_api(request.path):
        return failure_response(UNKNOWN_URL)
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if is_api(request.path):
        return failure_response(describe(exception))
    return defaults.bad_request(request, exception)


def unavailable(error: Exception) -> HttpResponse | None:
    """A page that says so, where what it needs does not answer; None where that is not why."""
    failure = describe(error)
    if failure.status != 503:
        return None
    logged(error)
    page = loader.get_template("503.html").render()  # without a request: it asks nobody anything
    return HttpResponse(page, status=503, headers=failure.headers)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500; Django has logged the exception already."""
    if is_api(request.path):
        return failure_response(INTERNAL)
    return defaults.server_error(request)
