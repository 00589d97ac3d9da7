"""Consents natively: as OpenAI's, also for browsers, and strict about unknown fields."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from speech.api.consents import (
    AFTER,
    MULTIPART,
    PAGE,
    ConsentFace,
    ConsentsView,
    ConsentView,
    PhraseView,
    consent_object,
    own_consent,
)
from speech.api.native import NativeView
from speech.api.parsers import json_body
from speech.api.requests import origin_of
from speech.api.voice_forms import WithdrawalSerializer
from speech.api.voice_shapes import (
    ConsentDeleted,
    ConsentForm,
    ConsentList,
    ConsentName,
    ConsentShape,
    PhraseShape,
)


class NativeConsentsView(NativeView, ConsentsView):
    """GET and POST /api/consents."""

    parser_classes = [MultiPartParser]  # looked at where a browser's token is
    only = (ConsentForm().fields,)

    @extend_schema(
        summary="List consents",
        operation_id="list_consents",
        parameters=[AFTER, PAGE],
        responses=ConsentList,
    )
    def get(self, request: Request) -> Response:
        return super().get(request)

    @extend_schema(
        summary="Send a consent",
        operation_id="send_consent",
        request=MULTIPART,
        responses={200: ConsentShape},
    )
    def post(self, request: Request) -> Response:
        return super().post(request)


class NativeConsentView(NativeView, ConsentView):
    """GET, POST and DELETE /api/consents/{id}."""

    @extend_schema(operation_id="show_consent", summary="Show a consent", responses=ConsentShape)
    def get(self, request: Request, name: str) -> Response:
        return super().get(request, name)

    @extend_schema(
        operation_id="rename_consent",
        summary="Rename a consent",
        request=ConsentName,
        responses={200: ConsentShape},
    )
    def post(self, request: Request, name: str) -> Response:
        return super().post(request, name)

    @extend_schema(
        operation_id="erase_consent",
        summary="Withdraw a consent and erase what was said",
        request=None,
        responses={200: ConsentDeleted},
    )
    def delete(self, request: Request, name: str) -> Response:
        return super().delete(request, name)


class WithdrawView(NativeView, ConsentFace):
    """POST /api/consents/{id}/withdraw."""

    @extend_schema(
        operation_id="withdraw_consent",
        summary="Withdraw a consent and keep the record of it",
        request=WithdrawalSerializer,
        responses={200: ConsentShape},
    )
    def post(self, request: Request, name: str) -> Response:
        consent = own_consent(request, name)
        asked = WithdrawalSerializer(data=json_body(request))
        asked.is_valid(raise_exception=True)
        consent.withdraw(origin_of(request).actor, asked.validated_data.get("reason", ""))
        return Response(consent_object(consent))


class NativePhraseView(NativeView, PhraseView):
    """GET /api/consents/phrase."""

    @extend_schema(
        summary="Get a phrase to be read",
        operation_id="consent_phrase",
        parameters=[OpenApiParameter("language", str, description="A BCP 47 tag.")],
        responses=PhraseShape,
    )
    def get(self, request: Request) -> Response:
        return super().get(request)
