"""Is it alive, is it ready, how is it, in numbers: for supervisors, balancers and Prometheus.

None of these asks the engine's queue, so none of them waits for it.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.db import connection
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.exceptions import APIException

from accounts.authentication import ApiKeyAuthentication
from accounts.exceptions import MissingScope
from accounts.gate import gated
from speech.api.responses import error_response, failure_response
from speech.engine.types import EngineState
from speech.errors import NO_KEY_FAILURE
from speech.metrics import REGISTRY
from speech.runtime import runtime
from voxplatform import __version__


async def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


def _reasons() -> list[str]:
    """Why requests cannot be served well now; empty when they can."""
    reasons = []
    stats = runtime.stats()
    # Who would only send requests to a ready server would never wake one that rests.
    rests = stats.state is EngineState.COLD and settings.ENGINE_IDLE_SECONDS > 0
    if stats.state is not EngineState.READY and not rests:
        reasons.append(f"engine {stats.state.value}: {stats.reason or 'no reason given'}")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, InterfaceError):
        reasons.append("database unavailable")
    return reasons


def _readyz(request: HttpRequest) -> HttpResponse:
    reasons = _reasons()
    body = {"ready": not reasons, "reasons": reasons, "notice": runtime.notice}
    return JsonResponse(body, status=503 if reasons else 200)


def _health(request: HttpRequest) -> HttpResponse:
    reasons, stats, info = _reasons(), runtime.stats(), runtime.known_info()
    return JsonResponse(
        {
            "status": "degraded" if reasons else "ok",
            "version": __version__,
            "reasons": reasons,
            "notice": runtime.notice,
            "engine": {
                "name": info.engine if info else None,
                "model": info.model if info else None,
                "state": stats.state.value,
                "waiting": stats.waiting,
                "running": stats.running,
                "slots": stats.slots,
                "restarts": stats.restarts,
            },
        }
    )


def _metrics(request: HttpRequest) -> HttpResponse:
    try:
        allowed = _may_scrape(request)
    except APIException as error:
        return error_response(error)
    if not allowed:
        return failure_response(NO_KEY_FAILURE)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    """Staff, a key with the scope, or a peer from METRICS_ALLOW."""
    peer = request.META.get("REMOTE_ADDR")
    if peer and any(ipaddress.ip_address(peer) in net for net in settings.METRICS_ALLOW):
        return True
    if request.user.is_authenticated and request.user.is_staff:
        return True
    credentials = ApiKeyAuthentication().authenticate(request)  # type: ignore[arg-type]
    if credentials and not credentials[1].may("metrics"):
        raise MissingScope("This API key lacks the scope 'metrics'.")
    return credentials is not None


readyz = gated(_readyz)
health = gated(_health)
metrics = gated(_metrics)
