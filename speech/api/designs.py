"""Designing a voice natively: described, spoken with several seeds, listened to, and one kept.

Speaking is metered like any speech; a draft is its account's alone and goes after a day.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.gate import AsyncView, gated, in_place_of
from accounts.permissions import HasScope, require_scope
from speech.api.design_forms import (
    CandidateForm,
    CandidateShape,
    DesignErased,
    DesignForm,
    DesignList,
    DesignShape,
    KeepForm,
)
from speech.api.native import SPEAKING, NativeView
from speech.api.native_voices import detailed
from speech.api.parsers import json_body
from speech.api.requests import account_of, as_id, caller_of, key_of, origin_of, warning
from speech.api.responses import Prepared
from speech.api.voice_shapes import NativeVoiceShape
from speech.library import SENTENCE, prepare_candidate, speak_candidate
from voices.delivery import as_media
from voices.listing import candidate_object, design_object
from voices.models import DesignCandidate, Voice, VoiceDesign


class PreparedCandidate(Prepared):
    """What the gate hands on: a take that is decided, and the design it belongs to."""

    def __init__(self, request: Request, design: VoiceDesign, asked: dict[str, Any]) -> None:
        require_scope(key_of(request), "speech")
        caller = caller_of(request, "native")
        synthesis = prepare_candidate(design, caller, asked.get("seed"), asked.get("model"))
        super().__init__(synthesis, warning(synthesis.plan.warnings))
        self.design = design


def designing_view(gate_class: type[APIView]) -> AsyncView:
    """The view of a route that speaks candidates: ``gate_class`` decides, then it is spoken."""
    gate = gated(gate_class.as_view())

    async def speak(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        prepared = await gate(request, *args, **kwargs)
        if not isinstance(prepared, PreparedCandidate):
            return prepared
        candidate = await speak_candidate(prepared.synthesis, prepared.design)
        shown = candidate_object(candidate)
        if not kwargs:
            shown = design_object(prepared.design, [candidate])
        return JsonResponse(shown, headers=prepared.extra_headers)

    return in_place_of(gate, speak)


def own_design(request: Request, public_id: str) -> VoiceDesign:
    """A design of the caller's account. Raises NotFound."""
    living = VoiceDesign.objects.living(account_of(request)).select_related("account")
    design = living.filter(public_id=as_id(public_id)).first()
    if design is None:
        raise NotFound
    return design


def candidate_of(design: VoiceDesign, number: int) -> DesignCandidate:
    """Raises NotFound."""
    candidate = design.candidates.filter(number=number).first()
    if candidate is None:
        raise NotFound
    return candidate


class DesignFace(NativeView):
    """What all of them share."""

    permission_classes = [HasScope("voices")]


class DesignsView(DesignFace):
    """GET and POST /api/voices/designs."""

    throttle_classes = SPEAKING

    @extend_schema(
        operation_id="list_designs", summary="List drafts of voices", responses=DesignList
    )
    def get(self, request: Request) -> Response:
        designs = VoiceDesign.objects.living(account_of(request)).prefetch_related("candidates")
        data = [design_object(design, list(design.candidates.all())) for design in designs]
        return Response({"object": "list", "data": data})

    @extend_schema(
        operation_id="design_voice",
        summary="Describe a voice and hear a first candidate",
        request=DesignForm,
        responses={200: DesignShape},
    )
    def post(self, request: Request) -> HttpResponseBase:
        form = DesignForm(data=json_body(request))
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        design = VoiceDesign.draft(
            account_of(request),
            origin_of(request),
            asked["description"],
            asked.get("text", SENTENCE),
            asked.get("language", ""),
        )
        return PreparedCandidate(request, design, asked)


class DesignView(DesignFace):
    """GET and DELETE /api/voices/designs/{id}."""

    @extend_schema(operation_id="show_design", summary="Show a draft", responses=DesignShape)
    def get(self, request: Request, name: str) -> Response:
        design = own_design(request, name)
        return Response(design_object(design, list(design.candidates.all())))

    @extend_schema(
        operation_id="drop_design",
        summary="Erase a draft with all its candidates",
        request=None,
        responses={200: DesignErased},
    )
    def delete(self, request: Request, name: str) -> Response:
        design = own_design(request, name)
        design.discard(origin_of(request).actor)
        return Response({"id": design.public_id, "object": "voice.design", "deleted": True})


class CandidatesView(DesignFace):
    """POST /api/voices/designs/{id}/candidates."""

    throttle_classes = SPEAKING

    @extend_schema(
        operation_id="speak_candidate",
        summary="Hear another candidate",
        request=CandidateForm,
        responses={200: CandidateShape},
    )
    def post(self, request: Request, name: str) -> HttpResponseBase:
        design = own_design(request, name)
        form = CandidateForm(data=json_body(request))
        form.is_valid(raise_exception=True)
        return PreparedCandidate(request, design, form.validated_data)


class CandidateAudioView(DesignFace):
    """GET /api/voices/designs/{id}/candidates/{number}/audio."""

    @extend_schema(
        operation_id="hear_candidate",
        summary="A candidate's audio",
        responses={(200, "audio/wav"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, name: str, number: int) -> HttpResponseBase:
        candidate = candidate_of(own_design(request, name), number)
        answer = HttpResponse(candidate.wav(), headers={"cache-control": "no-store"})
        return as_media(answer, "audio/wav", f'attachment; filename="candidate-{number}.wav"')


class KeepView(DesignFace):
    """POST /api/voices/designs/{id}/candidates/{number}/keep."""

    @extend_schema(
        operation_id="keep_candidate",
        summary="Make a voice of a candidate; the others are erased",
        request=KeepForm,
        responses={200: NativeVoiceShape},
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        candidate = candidate_of(own_design(request, name), number)
        form = KeepForm(data=json_body(request))
        form.is_valid(raise_exception=True)
        voice = Voice.keep(candidate, origin_of(request), **form.validated_data)
        return Response(detailed(voice, voice.owner))
