"""OpenAI's voices: create and delete as its SDKs know them, list and retrieve besides."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Account
from accounts.negotiation import IgnoreAccept
from accounts.permissions import HasScope, ListingAllowed
from accounts.throttling import KeyRateThrottle
from speech.api.consents import scope_of
from speech.api.requests import account_of, as_id, key_of, origin_of, warning
from speech.api.uploads import Form
from speech.api.voice_shapes import VOICES, VoiceDeleted, VoiceForm, VoiceShape
from speech.errors import InvalidField
from voices.cloning import clone_voice
from voices.listing import listed_voices, may_use, voice_object
from voices.models import Origin, Voice
from voices.room import check_room

MULTIPART: Any = {"multipart/form-data": VoiceForm}


class VoiceFace(APIView):
    """What reads is a listing and may be public, what writes needs the scope ``voices``."""

    permission_classes = [ListingAllowed]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept

    def get_permissions(self) -> Any:
        if self.request.method in ("GET", "HEAD", "OPTIONS"):
            return super().get_permissions()
        return [HasScope("voices")()]


class VoicesView(VoiceFace):
    """GET and POST /v1/audio/voices."""

    @extend_schema(
        summary="List voices",
        operation_id="list_voices",
        parameters=[OpenApiParameter("legacy", str, description="`true`: ids only, as strings.")],
        responses=VOICES,
    )
    def get(self, request: Request) -> Response:
        key = key_of(request)
        voices = listed_voices(key.account if key else None, key)
        if request.query_params.get("legacy", "").lower() in ("1", "true"):
            return Response({"voices": [voice["id"] for voice in voices]})
        return Response({"object": "list", "voices": voices, "data": voices})

    @extend_schema(
        summary="Create a voice",
        operation_id="create_voice",
        request=MULTIPART,
        responses=VoiceShape,
    )
    def post(self, request: Request) -> Response:
        account = account_of(request)
        check_room(account)  # before the body is looked at
        form = Form(request)
        voice = create_voice(form, account, origin_of(request))
        notes = [f"{name} is unknown and was ignored" for name in form.unknown()]
        return Response(voice_object(voice), headers=warning(notes))


def create_voice(form: Form, account: Account, origin: Origin) -> Voice:
    """A voice from a form."""
    if form.text("type") not in ("", "audio_sample"):
        raise InvalidField("type: Voices are made from an audio_sample here.", "type")
    fields = {
        "name": form.text("name", required=True),
        "consent": form.text("consent"),
        "transcript": form.text("transcript", "ref_text"),
        "language": form.text("language"),
        "description": form.text("description", "speaker_description"),
    }
    scope, override = scope_of(form), form.flag("override")
    upload = form.file("audio_sample")
    return clone_voice(
        account,
        origin,
        cast(BinaryIO, upload.file),
        upload.size or 0,
        field="audio_sample",
        scope=scope,
        override=override,
        **fields,
    )


def own_voice(request: Request, public_id: str) -> Voice:
    """A voice of the caller's account; NotFound for others', whoever may hear them, and for one
    that the key is not for."""
    own = Voice.objects.owned_by(account_of(request))
    voice = own.filter(public_id=as_id(public_id.rstrip("/"))).select_related("account").first()
    if voice is None or not may_use(key_of(request), voice_object(voice)):
        raise NotFound
    return voice


class VoiceView(VoiceFace):
    """GET and DELETE /v1/audio/voices/{id}."""

    def find(self, request: Request, public_id: str) -> dict[str, Any]:
        """The voice as the caller may see it. Raises NotFound."""
        key = key_of(request)
        visible = Voice.objects.visible_to(key.account if key else None)
        voice = visible.filter(public_id=as_id(public_id)).first()
        found = voice_object(voice) if voice else None
        if found is None or not may_use(key, found):
            raise NotFound
        return found

    @extend_schema(
        summary="Delete a voice",
        operation_id="delete_voice",
        request=None,
        responses={200: VoiceDeleted},
    )
    def delete(self, request: Request, name: str) -> Response:
        voice = own_voice(request, name)
        voice.erase(origin_of(request).actor)
        answer = {"id": voice.public_id, "object": "audio.voice.deleted", "deleted": True}
        return Response(answer)
