"""The native face: every control, strictly; the engine's state; what was used.

With a key, or with a browser session and its CSRF token.
"""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import ApiKeyAuthentication, BrowserSession
from accounts.counters import Metered, this_month
from accounts.negotiation import IgnoreAccept
from accounts.permissions import HasScope, MayOperate
from accounts.throttling import KeyRateThrottle, PersonRateThrottle
from speech.api.marks import MarkedEvents
from speech.api.parsers import json_body
from speech.api.requests import caller_of, warning
from speech.api.responses import Prepared, speech_view
from speech.api.schema import SPEECH_ANSWERS, SPEECH_HEADERS
from speech.api.serializers import NativeSpeechSerializer
from speech.api.shapes import EngineShape, UsageShape
from speech.engine.types import EngineStats
from speech.runtime import runtime
from speech.synthesis import prepare


class NativeView(APIView):
    """What all native routes share."""

    authentication_classes = [ApiKeyAuthentication, BrowserSession]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept


SPEAKING = [*NativeView.throttle_classes, PersonRateThrottle]
"""For views that have something spoken."""


class NativeSpeechGate(NativeView):
    """As the OpenAI gate, but an unknown field is an error."""

    throttle_classes = SPEAKING
    permission_classes = [HasScope("speech")]
    face = "native"

    @extend_schema(
        operation_id="speak",
        summary="Speak",
        parameters=SPEECH_HEADERS,
        request=NativeSpeechSerializer,
        responses=SPEECH_ANSWERS,
    )
    def post(self, request: Request) -> HttpResponseBase:
        serializer = NativeSpeechSerializer(data=json_body(request))
        serializer.is_valid(raise_exception=True)
        synthesis = prepare(serializer.speech_request(), caller_of(request, self.face))
        return Prepared(synthesis, warning(synthesis.plan.warnings))


speak = speech_view(NativeSpeechGate, MarkedEvents)
"""POST /api/speech; its events also carry ``speech.mark``."""


def engine_object(stats: EngineStats) -> dict[str, Any]:
    """The engine as the API shows it."""
    info = runtime.known_info()
    return {
        "object": "engine",
        "engine": info.engine if info else None,
        "model": info.model if info else None,
        "names": list(info.names) if info else [],
        "sample_rate": info.sample_rate if info else None,
        "languages": list(info.languages) if info else [],
        "abilities": sorted(info.abilities) if info else [],
        "state": stats.state.value,
        "reason": stats.reason,
        "notice": runtime.notice,
        "slots": stats.slots,
        "running": stats.running,
        "waiting": stats.waiting,
        "restarts": stats.restarts,
        "load_seconds": stats.load_seconds,
    }


class EngineView(NativeView):
    """GET /api/engine: state, model, slots, queue."""

    @extend_schema(operation_id="engine", summary="The engine's state", responses=EngineShape)
    def get(self, request: Request) -> Response:
        return Response(engine_object(runtime.stats()))


class EngineLoadView(NativeView):
    """POST /api/engine/load."""

    permission_classes = [MayOperate]

    @extend_schema(
        operation_id="load_engine",
        summary="Load the model",
        request=None,
        responses={200: EngineShape},
    )
    def post(self, request: Request) -> Response:
        runtime.engine.load()
        return Response(engine_object(runtime.stats()))


class EngineUnloadView(NativeView):
    """POST /api/engine/unload; refused while anybody is being spoken to."""

    permission_classes = [MayOperate]

    @extend_schema(
        operation_id="unload_engine",
        summary="Unload the model",
        request=None,
        responses={200: EngineShape},
    )
    def post(self, request: Request) -> Response:
        runtime.engine.unload()
        return Response(engine_object(runtime.stats()))


class UsageView(NativeView):
    """GET /api/usage: this month's counters of the account, and of the key that asks."""

    permission_classes = [HasScope("usage")]

    @extend_schema(operation_id="usage", summary="Use of this month", responses=UsageShape)
    def get(self, request: Request) -> Response:
        caller = caller_of(request, "native")
        month = this_month()
        body = {
            "object": "usage",
            "month": month,
            "account": used(caller.account, month),
            "key": used(caller.key, month) if caller.key else None,
        }
        return Response(body)


def used(metered: Metered, month: str) -> dict[str, Any]:
    """What an account or a key used, holds reserved and may use in a month."""
    counter = metered.counter(month)
    return {
        "characters": {
            "used": counter.characters_used,
            "reserved": counter.characters_reserved,
            "limit": metered.monthly_characters,
        },
        "audio_seconds": {
            "used": counter.ms_used / 1000,
            "reserved": counter.ms_reserved / 1000,
            "limit": metered.monthly_seconds,
        },
    }
