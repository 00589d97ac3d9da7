"""How views stand in the OpenAPI schema: what all of them share is said once, here.

Any route may answer with an error in the one envelope; with which follows from what it takes.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse

from accounts.permissions import ListingAllowed
from speech.api.serializers import NativeSpeechSerializer
from speech.api.shapes import ErrorResponse, EventShape
from speech.api.voice_forms import Strict
from speech.audio import ENCODERS

_ALWAYS = {
    "400": "The request cannot be read, or a field is not acceptable",
    "401": "No key, a wrong key, or one that was not issued for this",
    "403": "Not from this network, or not with this voice or model",
    "429": "Too many requests or streams, or the quota is used up",
    "500": "We failed",
    "503": "Busy, loading, draining, or the database does not answer: try again",
}
_BY_ID = {"404": "There is no such thing, or not for this key"}
_WITH_BODY = {
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "415": "The body is compressed",
}
_REQUEST_ID = {"x-request-id": {"schema": {"type": "string"}, "required": True}}

AUDIO_TYPES = tuple(sorted({encoder.media_type for encoder in ENCODERS.values()}))
SPEECH_ANSWERS = {
    (200, *AUDIO_TYPES): OpenApiResponse(OpenApiTypes.BINARY, "The audio, or events that carry it"),
    (200, "text/event-stream"): EventShape,
}
SPEECH_HEADERS = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, description=meaning, response=[200])
    for name, meaning in (
        ("x-model", "The model that spoke"),
        ("x-engine", "The engine that spoke"),
        ("x-seed", "The seed that was used, where the engine has seeds"),
        ("warning", "What was ignored"),
    )
]


class ApiSchema(AutoSchema):
    """DRF's slot for describing a view."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Listings may be read without a key: the empty alternative says so."""
        public = ListingAllowed in self.view.permission_classes
        return [*super().get_auth(), *([{}] if public else [])]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        schema = self.resolve_serializer(ErrorResponse, direction).ref
        for status, description in self._failures().items():
            content = {"application/json": {"schema": schema}}
            bodies[status] = {"description": description, "content": content}
        for body in bodies.values():
            body["headers"] = _REQUEST_ID | body.get("headers", {})
        return bodies

    def _failures(self) -> dict[str, str]:
        takes_body = self.method in ("POST", "PATCH") and self.get_request_serializer() is not None
        by_id = _BY_ID if "{" in self.path or takes_body else {}
        return _ALWAYS | by_id | (_WITH_BODY if takes_body else {})

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, NativeSpeechSerializer | Strict):
            schema["additionalProperties"] = False
        return schema
