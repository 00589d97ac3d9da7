"""Voices natively: searched, made, changed, re-recorded, shared, reported, exported, erased.

With a key of scope ``voices`` or a browser session; strict about unknown fields. Only the owner's
account changes anything; what others may hear they may see and report.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.permissions import HasScope, require_scope
from speech.api.consents import AFTER, PAGE, page_size
from speech.api.native import SPEAKING, NativeView
from speech.api.parsers import json_body
from speech.api.requests import account_of, as_id, caller_of, key_of, origin_of, warning
from speech.api.responses import Prepared, speech_view
from speech.api.schema import SPEECH_ANSWERS, SPEECH_HEADERS
from speech.api.uploads import Form, take_recording
from speech.api.voice_forms import ReportSerializer, ShareSerializer, VoiceChanges
from speech.api.voice_search import CHOICES, searched
from speech.api.voice_shapes import (
    ErasureShape,
    NativeVoiceList,
    NativeVoiceShape,
    SampleList,
    SampleShape,
    VersionForm,
    VoiceForm,
    VoiceReported,
)
from speech.api.voices import create_voice, own_voice
from speech.errors import InvalidField
from speech.library import prepare_preview
from voices.archive import export
from voices.delivery import deliver
from voices.listing import may_use, sample_object, voice_object
from voices.models import Voice, VoiceReport, VoiceSample
from voices.receipts import receipt
from voices.room import check_bytes, check_room
from voices.samples import Cut

_FORM: Any = {"multipart/form-data": VoiceForm}
_VERSION_FORM: Any = {"multipart/form-data": VersionForm}


def detailed(voice: Voice, account: Account) -> dict[str, Any]:
    """A voice as its owner sees it, or as others may."""
    shown = voice_object(voice) | {"kind": voice.kind, "tags": voice.tags}
    shown["mine"] = voice.account_id == account.pk
    if shown["mine"]:
        shown["consent"] = voice.consent.public_id if voice.consent else None
        shown["shared_with"] = sorted(voice.shared_with.values_list("name", flat=True))
        shown["sample"] = sample_object(voice.sample)
    return shown


class VoiceFace(NativeView):
    """What all of them share."""

    permission_classes = [HasScope("voices")]


class NativeVoicesView(VoiceFace):
    """GET and POST /api/voices."""

    parser_classes = [MultiPartParser]  # looked at where a browser's token is

    @extend_schema(
        operation_id="search_voices",
        summary="Search voices",
        parameters=[
            OpenApiParameter("q", str, description="In name and description."),
            *(OpenApiParameter(name, str, enum=words) for name, words in CHOICES.items()),
            OpenApiParameter("language", str, description="A BCP 47 tag, or its beginning."),
            OpenApiParameter("tag", str),
            AFTER,
            PAGE,
        ],
        responses=NativeVoiceList,
    )
    def get(self, request: Request) -> Response:
        account, key = account_of(request), key_of(request)
        found = searched(request, account).select_related("consent").order_by("-pk")
        limit = page_size(request)
        page = list(found[: limit + 1])
        shown = [detailed(voice, account) for voice in page[:limit]]
        data = [voice for voice in shown if may_use(key, voice)]
        return Response(
            {
                "object": "list",
                "data": data,
                "last_id": page[:limit][-1].public_id if page else None,
                "has_more": len(page) > limit,
            }
        )

    @extend_schema(
        operation_id="make_voice",
        summary="Make a voice",
        request=_FORM,
        responses={200: NativeVoiceShape},
    )
    def post(self, request: Request) -> Response:
        account = account_of(request)
        check_room(account)
        form = Form(request, VoiceForm().fields, "ref_text", "speaker_description")
        return Response(detailed(create_voice(form, account, origin_of(request)), account))


class NativeVoiceView(VoiceFace):
    """GET, PATCH and DELETE /api/voices/{id}."""

    @extend_schema(operation_id="show_voice", summary="Show a voice", responses=NativeVoiceShape)
    def get(self, request: Request, name: str) -> Response:
        return Response(detailed(visible_voice(request, name), account_of(request)))

    @extend_schema(
        operation_id="change_voice",
        summary="Change a voice",
        request=VoiceChanges,
        responses=NativeVoiceShape,
    )
    def patch(self, request: Request, name: str) -> Response:
        voice = own_voice(request, name)
        changes = VoiceChanges(data=json_body(request))
        changes.is_valid(raise_exception=True)
        voice.change(origin_of(request).actor, **changes.validated_data)
        return Response(detailed(voice, voice.owner))

    @extend_schema(
        operation_id="erase_voice",
        summary="Erase a voice, for good",
        request=None,
        responses={200: ErasureShape},
    )
    def delete(self, request: Request, name: str) -> Response:
        erasure = own_voice(request, name).erase(origin_of(request).actor)
        return Response(receipt(erasure))


def visible_voice(request: Request, public_id: str) -> Voice:
    """A voice that the caller may hear, whoever's it is. Raises NotFound."""
    visible = Voice.objects.visible_to(account_of(request)).select_related("account", "consent")
    voice = visible.filter(public_id=as_id(public_id)).first()
    if voice is None or not may_use(key_of(request), voice_object(voice)):
        raise NotFound
    return voice


class VersionsView(VoiceFace):
    """GET and POST /api/voices/{id}/versions."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="list_versions",
        summary="List a voice's versions and their reports",
        responses=SampleList,
    )
    def get(self, request: Request, name: str) -> Response:
        voice = own_voice(request, name)
        data = [sample_object(sample) for sample in voice.samples.all()]
        return Response({"object": "list", "data": data})

    @extend_schema(
        operation_id="add_version",
        summary="Record a voice anew",
        request=_VERSION_FORM,
        responses={200: SampleShape},
    )
    def post(self, request: Request, name: str) -> Response:
        voice = own_voice(request, name)
        voice.check_takes_recordings()  # both before the body is looked at
        check_bytes(voice.owner)
        form = Form(request, VersionForm().fields)
        transcript, override = form.text("transcript"), form.flag("override")
        cut = Cut.ENDS if transcript else Cut.BEST
        sample = take_recording(form, "audio_sample", cut, transcript=transcript, override=override)
        added = voice.rerecord(sample, origin_of(request), transcript=transcript, override=override)
        return Response(sample_object(added))


class RecordingView(VoiceFace):
    """GET /api/voices/{id}/versions/{version}/recording."""

    @extend_schema(
        operation_id="hear_version",
        summary="What the model hears, whole or in ranges",
        responses={
            (200, "audio/wav"): OpenApiTypes.BINARY,
            (206, "audio/wav"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="It is at a signed link of the object storage."),
            416: OpenApiResponse(description="The range lies outside."),
        },
    )
    def get(self, request: Request, name: str, version: int) -> HttpResponseBase:
        sample = own_voice(request, name).samples.filter(version=version).first()
        if sample is None:
            raise NotFound
        return deliver(request._request, sample.object_key)


class RestoreVersionView(VoiceFace):
    """POST /api/voices/{id}/versions/{version}/restore."""

    @extend_schema(
        operation_id="restore_version",
        summary="Speak with an older version again",
        request=None,
        responses={200: NativeVoiceShape},
    )
    def post(self, request: Request, name: str, version: int) -> Response:
        voice = own_voice(request, name)
        try:
            voice.restore_version(origin_of(request).actor, version)
        except VoiceSample.DoesNotExist:
            raise NotFound from None
        return Response(detailed(voice, voice.owner))


class ShareView(VoiceFace):
    """POST /api/voices/{id}/share."""

    @extend_schema(
        operation_id="share_voice",
        summary="Share a voice with these accounts and no others",
        request=ShareSerializer,
        responses={200: NativeVoiceShape},
    )
    def post(self, request: Request, name: str) -> Response:
        voice = own_voice(request, name)
        asked = ShareSerializer(data=json_body(request))
        asked.is_valid(raise_exception=True)
        voice.share(origin_of(request).actor, asked.named())
        return Response(detailed(voice, voice.owner))


class ReportView(VoiceFace):
    """POST /api/voices/{id}/report."""

    @extend_schema(
        operation_id="report_voice",
        summary="Report a voice that should not be here",
        request=ReportSerializer,
        responses={200: VoiceReported},
    )
    def post(self, request: Request, name: str) -> Response:
        voice = visible_voice(request, name)
        told = ReportSerializer(data=json_body(request))
        told.is_valid(raise_exception=True)
        VoiceReport.file(
            voice, account_of(request), told.validated_data["reason"], origin_of(request).actor
        )
        return Response({"id": voice.public_id, "object": "voice.report", "reported": True})


class ExportView(VoiceFace):
    """GET /api/voices/{id}/export."""

    @extend_schema(
        operation_id="export_voice",
        summary="All that is kept of a voice, as a zip",
        parameters=[OpenApiParameter("version", int, description="By default what speaks.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        voice = own_voice(request, name)
        asked = request.query_params.get("version") or str(voice.version)
        if not (asked.isascii() and asked.isdigit() and len(asked) < 7):
            raise InvalidField("version: Send a number.", "version")
        sample = voice.samples.filter(version=int(asked)).first()
        if sample is None:
            raise NotFound
        archive = export(voice, sample, origin_of(request).actor)
        answer = HttpResponse(archive, content_type="application/zip")
        answer["content-disposition"] = f'attachment; filename="{voice.public_id}.zip"'
        answer["cache-control"] = "no-store"
        return answer


class PreviewGate(VoiceFace):
    """POST /api/voices/{id}/preview; built-in voices go by their names."""

    throttle_classes = SPEAKING

    @extend_schema(
        operation_id="preview_voice",
        summary="Hear a voice say a sentence in its language",
        parameters=SPEECH_HEADERS,
        request=None,
        responses=SPEECH_ANSWERS,
    )
    def post(self, request: Request, name: str) -> HttpResponseBase:
        require_scope(key_of(request), "speech")
        voice = visible_voice(request, name)
        synthesis = prepare_preview(voice, caller_of(request, "native"))
        return Prepared(synthesis, warning(synthesis.plan.warnings))


preview = speech_view(PreviewGate)
"""POST /api/voices/{id}/preview."""
