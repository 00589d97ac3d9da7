"""The voices one may ask for: GET /v1/audio/voices."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiKey
from accounts.negotiation import IgnoreAccept
from accounts.permissions import ListingAllowed
from accounts.throttling import KeyRateThrottle
from voices.presets import PRESETS, Preset
from voices.schema import VOICES


def voice_object(preset: Preset) -> dict[str, Any]:
    """A voice in the words of every client that lists them: ids, names, values and labels."""
    return {
        "id": preset.name,
        "object": "audio.voice",
        "name": preset.label,
        "value": preset.name,
        "label": preset.label,
        "description": preset.description,
        "created_at": 0,
    }


def listed_voices(key: ApiKey | None) -> list[dict[str, Any]]:
    """The built-in voices; with a key, those of them that the key may use."""
    allowed = key.allowed_voices if key else []
    return [voice_object(PRESETS[name]) for name in PRESETS if not allowed or name in allowed]


class VoicesView(APIView):
    """GET /v1/audio/voices."""

    permission_classes = [ListingAllowed]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept

    @extend_schema(
        summary="List voices",
        operation_id="list_voices",
        parameters=[OpenApiParameter("legacy", str, description="`true`: ids only, as strings.")],
        responses=VOICES,
    )
    def get(self, request: Request) -> Response:
        voices = listed_voices(request.auth if isinstance(request.auth, ApiKey) else None)
        if request.query_params.get("legacy", "").lower() in ("1", "true"):
            return Response({"voices": [voice["id"] for voice in voices]})
        return Response({"object": "list", "voices": voices, "data": voices})
