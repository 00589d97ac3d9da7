"""Audio that does not fit into an answer over MCP: kept for a while, and had by a signed link that
ends with it. Whoever has the link has the audio, for it is people's players that follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.negotiation import IgnoreAccept
from speech.api.recording import Recording
from speech.audio import ENCODERS
from voices import storage
from voices.delivery import deliver

_SALT = "speech.spoken"


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    ends: datetime


def lend(audio: Recording, container: str) -> Link:
    """Keep it for ``TAKE_MINUTES``. Raises StorageUnavailable."""
    lifetime = timedelta(minutes=settings.TAKE_MINUTES)
    ends = timezone.now() + lifetime
    key = storage.lend(File(audio), "spoken", f".{container}", lifetime)
    token = signing.dumps([key, container], salt=_SALT)
    return Link(f"{settings.SITE_URL}/mcp/audio/{token}", ends)


class SpokenView(APIView):
    """GET /mcp/audio/{token}, whole or in ranges."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    content_negotiation_class = IgnoreAccept

    def get(self, request: Request, token: str) -> HttpResponseBase:
        try:
            key, container = signing.loads(
                token, salt=_SALT, max_age=timedelta(minutes=settings.TAKE_MINUTES)
            )
        except signing.BadSignature:
            raise PermissionDenied("The link was changed, or its time is over.") from None
        return deliver(
            request._request,
            key,
            content_type=ENCODERS[container].media_type,
            disposition=f'attachment; filename="speech.{container}"',
        )
