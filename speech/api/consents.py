"""OpenAI's voice consents: create, list, retrieve, update, delete; and the phrase to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.negotiation import IgnoreAccept
from accounts.permissions import HasScope
from accounts.throttling import KeyRateThrottle
from speech.api.parsers import json_body
from speech.api.requests import account_of, as_id, origin_of, warning
from speech.api.uploads import Form, take_recording
from speech.api.voice_shapes import (
    ConsentDeleted,
    ConsentForm,
    ConsentList,
    ConsentName,
    ConsentShape,
    PhraseShape,
)
from speech.errors import InvalidField
from voices.languages import clean_language
from voices.models import ConsentPhrase, VoiceConsent
from voices.policy import check_statement, check_word_is_enough
from voices.room import check_bytes
from voices.samples import Cut
from voices.scope import PURPOSES_LENGTH, Scope

MULTIPART: Any = {"multipart/form-data": ConsentForm}
PAGE = OpenApiParameter("limit", int, description="1 to 100, by default 20.")
AFTER = OpenApiParameter("after", str, description="The last id of the page before.")


def consent_object(consent: VoiceConsent) -> dict[str, Any]:
    """OpenAI's VoiceConsent, and what is known of it here."""
    return {
        "id": consent.public_id,
        "object": "audio.voice_consent",
        "name": consent.name,
        "relationship": consent.relationship,
        "language": consent.language,
        "created_at": int(consent.created_at.timestamp()),
        "state": consent.standing,
        "phrase": consent.phrase,
        "phrase_language": consent.phrase_language,
        "statement": consent.statement,
        "purposes": consent.purposes,
        "languages": consent.languages,
        "expires_at": int(consent.expires_at.timestamp()) if consent.expires_at else None,
        "document_sha256": consent.document_sha256,
        "words_checked": consent.words_checked,
        "withdrawal_reason": consent.withdrawal_reason,
    }


class ConsentFace(APIView):
    """What all of them share: consents are their account's alone."""

    permission_classes = [HasScope("voices")]
    throttle_classes = [KeyRateThrottle]
    content_negotiation_class = IgnoreAccept


class ConsentsView(ConsentFace):
    """GET and POST /v1/audio/voice_consents."""

    only: tuple[Iterable[str], ...] = ()

    @extend_schema(
        summary="List voice consents",
        operation_id="list_voice_consents",
        parameters=[AFTER, PAGE],
        responses=ConsentList,
    )
    def get(self, request: Request) -> Response:
        listed = VoiceConsent.objects.listed(account_of(request))
        if after := request.query_params.get("after"):
            last = listed.filter(public_id=after[:40].replace("\x00", "")).first()
            if last is None:
                raise InvalidField("after: There is no such consent.", "after")
            listed = listed.after(last)
        limit = page_size(request)
        page = list(listed[: limit + 1])
        data = [consent_object(consent) for consent in page[:limit]]
        answer = {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(page) > limit,
        }
        return Response(answer)

    @extend_schema(
        summary="Create a voice consent",
        operation_id="create_voice_consent",
        request=MULTIPART,
        responses=ConsentShape,
    )
    def post(self, request: Request) -> Response:
        account, origin = account_of(request), origin_of(request)
        check_bytes(account)  # before the body is looked at
        form = Form(request, *self.only)
        about: dict[str, Any] = {
            "name": form.text("name", required=True, longest=100),
            "language": clean_language(form.text("language", required=True)),
            "relationship": form.text("relationship", longest=100),
            "document_sha256": _digest(form),
            "scope": scope_of(form),
        }
        if statement := form.text("statement"):
            check_word_is_enough("statement")
            statement = check_statement(statement, "statement")
            consent = VoiceConsent.attest(account, statement, origin, **about)
        else:
            about["phrase_id"] = form.text("phrase")
            sample = take_recording(form, "recording", Cut.HEARD, override=True)
            consent = VoiceConsent.record(account, sample, origin, **about)
        notes = [f"{name} is unknown and was ignored" for name in form.unknown()]
        return Response(consent_object(consent), headers=warning(notes))


def _digest(form: Form) -> str:
    """The hash of a document that was signed, if one was."""
    sent = form.text("document_sha256").lower()
    if sent and not re.fullmatch("[0-9a-f]{64}", sent):
        message = "document_sha256: Send 64 hexadecimal digits."
        raise InvalidField(message, "document_sha256")
    return sent


def scope_of(form: Form) -> Scope:
    """How far what is said in a form goes."""
    return Scope.read(
        form.text("purposes", longest=PURPOSES_LENGTH),
        form.text("languages"),
        form.text("expires_at"),
    )


def page_size(request: Request) -> int:
    """``limit`` of the query, from 1 to 100."""
    asked = request.query_params.get("limit", "20")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 3 and 1 <= int(asked) <= 100):
        raise InvalidField("limit: It must lie between 1 and 100.", "limit")
    return int(asked)


class PhraseView(ConsentFace):
    """GET /v1/audio/voice_consents/phrase."""

    @extend_schema(
        summary="Get a phrase to be read",
        operation_id="voice_consent_phrase",
        parameters=[OpenApiParameter("language", str, description="A BCP 47 tag.")],
        responses=PhraseShape,
    )
    def get(self, request: Request) -> Response:
        language = request.query_params.get("language") or "en"
        phrase = ConsentPhrase.hand_out(account_of(request), language)
        answer = {
            "id": phrase.public_id,
            "object": "audio.voice_consent.phrase",
            "language": phrase.language,
            "text": phrase.text,
            "expires_at": int(phrase.expires_at.timestamp()),
        }
        return Response(answer)


def own_consent(request: Request, public_id: str) -> VoiceConsent:
    """A consent of the caller's account. Raises NotFound."""
    listed = VoiceConsent.objects.listed(account_of(request)).select_related("account")
    consent = listed.filter(public_id=as_id(public_id.rstrip("/"))).first()
    if consent is None:
        raise NotFound
    return consent


class ConsentView(ConsentFace):
    """GET, POST and DELETE /v1/audio/voice_consents/{id}."""

    @extend_schema(
        summary="Retrieve a voice consent",
        operation_id="retrieve_voice_consent",
        responses=ConsentShape,
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(consent_object(own_consent(request, name)))

    @extend_schema(
        summary="Rename a voice consent",
        operation_id="update_voice_consent",
        request=ConsentName,
        responses={200: ConsentShape},
    )
    def post(self, request: Request, name: str) -> Response:
        consent = own_consent(request, name)
        label = ConsentName(data=json_body(request))
        label.is_valid(raise_exception=True)
        consent.rename(origin_of(request).actor, label.validated_data["name"])
        return Response(consent_object(consent))

    @extend_schema(
        summary="Delete a voice consent",
        operation_id="delete_voice_consent",
        request=None,
        responses={200: ConsentDeleted},
    )
    def delete(self, request: Request, name: str) -> Response:
        consent = own_consent(request, name)
        consent.erase(origin_of(request).actor)
        answer = {"id": consent.public_id, "object": "audio.voice_consent", "deleted": True}
        return Response(answer)
