"""The OpenAI face: POST /v1/audio/speech and the listings clients probe."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiKey
from accounts.negotiation import IgnoreAccept
from accounts.permissions import HasScope, ListingAllowed
from accounts.throttling import KeyRateThrottle
from speech.api.parsers import json_body
from speech.api.requests import caller_of, key_of, warning
from speech.api.responses import Prepared, speech_view
from speech.api.schema import SPEECH_ANSWERS, SPEECH_HEADERS
from speech.api.serializers import SpeechSerializer
from speech.api.shapes import AudioModelList, ModelList, ModelShape
from speech.api.voice_shapes import VOICE_OR_LIST
from speech.api.voices import VoiceView
from speech.errors import ModelNotFound
from speech.models import SpeechModel
from speech.runtime import runtime
from speech.synthesis import prepare
from voices.listing import listed_voices


class SpeechGate(APIView):
    """Who, may, how often, and is it well formed; speaks through ``create_speech``."""

    permission_classes = [HasScope("speech")]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept

    @extend_schema(
        operation_id="create_speech",
        summary="Create speech",
        parameters=SPEECH_HEADERS,
        request=SpeechSerializer,
        responses=SPEECH_ANSWERS,
    )
    def post(self, request: Request) -> HttpResponseBase:
        serializer = SpeechSerializer(data=json_body(request))
        serializer.is_valid(raise_exception=True)
        synthesis = prepare(serializer.speech_request(), caller_of(request, "openai"))
        notes = [f"{name} is unknown and was ignored" for name in serializer.unknown()]
        return Prepared(synthesis, warning([*notes, *synthesis.plan.warnings]))


create_speech = speech_view(SpeechGate)
"""POST /v1/audio/speech."""


class ListingView(APIView):
    """Public names, with or without a key; a wrong key is refused all the same."""

    permission_classes = [ListingAllowed]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept


def listed_models(key: ApiKey | None) -> list[dict[str, Any]]:
    """The rows that are on, their further names and what is loaded, as OpenAI's Model objects."""
    models = [
        model_object(name, int(row.created_at.timestamp()), row.owned_by)
        for row in SpeechModel.objects.switched_on()
        for name in (row.name, *row.aliases)
    ]
    info = runtime.known_info()
    if info is not None:
        models += [model_object(name, 0, info.engine) for name in info.names]
    allowed = key.allowed_models if key else []
    return [model for model in models if not allowed or model["id"] in allowed]


def model_object(name: str, created: int, owner: str) -> dict[str, Any]:
    """OpenAI's Model."""
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


class ModelsView(ListingView):
    """GET /v1/models."""

    @extend_schema(operation_id="list_models", summary="List models", responses=ModelList)
    def get(self, request: Request) -> Response:
        return Response({"object": "list", "data": listed_models(key_of(request))})


class AudioModelsView(ListingView):
    """GET /v1/audio/models: the shape Open WebUI probes for."""

    @extend_schema(
        operation_id="list_audio_models",
        summary="List speech models",
        responses=AudioModelList,
    )
    def get(self, request: Request) -> Response:
        models = listed_models(key_of(request))
        return Response({"object": "list", "models": models, "data": models})


class ModelView(ListingView):
    """GET /v1/models/{id}; ids may hold slashes."""

    @extend_schema(operation_id="retrieve_model", summary="Retrieve a model", responses=ModelShape)
    def get(self, request: Request, name: str) -> Response:
        for model in listed_models(key_of(request)):
            if model["id"] == name.rstrip("/"):
                return Response(model)
        raise ModelNotFound("There is no model of that name here.", "model")


class VoiceOrModelView(VoiceView):
    """GET /v1/audio/voices/{id}: a voice, or, as SillyTavern asks, the voices of a model; any voice
    speaks with any model."""

    @extend_schema(
        operation_id="retrieve_voice",
        summary="Retrieve a voice, or list a model's voices",
        responses=VOICE_OR_LIST,
    )
    def get(self, request: Request, name: str) -> Response:
        key, wanted = key_of(request), name.rstrip("/")
        if wanted not in {model["id"] for model in listed_models(key)}:
            return Response(self.find(request, wanted))
        voices = listed_voices(key.account if key else None, key)
        return Response({"object": "list", "voices": voices, "data": voices})
