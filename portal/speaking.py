"""POST /api/studio/speech: the one path for whoever is signed in, with events that carry audio and
marks, and the take kept for downloads; GET /api/studio/takes/…: that take, in a format.

With a browser's session and its CSRF token only. Quota, usage rows and errors are those of every
other face.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from accounts.authentication import BrowserSession
from accounts.gate import gated
from speech import heard
from speech.api.marks import MarkedEvents
from speech.api.native import NativeSpeechGate, NativeView
from speech.api.responses import encoding, speech_view
from speech.audio import ENCODERS
from speech.engine.types import AudioChunk
from speech.synthesis import Synthesis
from voices.delivery import as_media

log = structlog.get_logger("portal")


class StudioGate(NativeSpeechGate):
    """As natively, for people only."""

    authentication_classes = [BrowserSession]
    face = "portal"

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponseBase:
        return super().post(request)


class KeptEvents(MarkedEvents):
    """Natively's events; the last one names the take, where it is kept."""

    def __init__(self, synthesis: Synthesis) -> None:
        super().__init__(synthesis)
        self._take: heard.Recorder | None = None
        self._kept: str | None = None
        self._is_lost = settings.TAKE_MINUTES == 0

    async def _run(self) -> AsyncGenerator[bytes]:
        try:
            async for piece in super()._run():
                yield piece
        finally:
            if self._take and not self._kept:
                self._take.drop()

    async def _encode(self, chunk: AudioChunk) -> bytes:
        # On the loop: a chunk is some kilobytes for a buffer or the page cache.
        self._guard(self._write, chunk)
        return await super()._encode(chunk)

    async def _flush(self) -> bytes:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(encoding, self._guard, self._keep)
        return await super()._flush()

    def final(self) -> dict[str, Any]:
        return {"take": self._kept}

    def _write(self, chunk: AudioChunk) -> None:
        if self._take is None:
            user_id = self.synthesis.caller.user_id
            assert user_id is not None, "people have sessions, keys do not"
            self._take = heard.Recorder(user_id, self.synthesis.info.sample_rate)
        self._take.write(chunk.samples)

    def _keep(self) -> None:
        if self._take:
            self._take.keep()
            self._kept = self._take.name

    def _guard(self, work: Any, *args: Any) -> None:
        """A full disk costs the download, not what is being heard."""
        if self._is_lost:
            return
        try:
            work(*args)
        except OSError as error:
            self._is_lost = True
            log.warning("take_not_kept", reason=str(error))


speak = speech_view(StudioGate, KeptEvents)
"""POST /api/studio/speech."""


class TakeView(NativeView):
    """GET /api/studio/takes/{name}.{format}."""

    authentication_classes = [BrowserSession]

    @extend_schema(exclude=True)
    def get(self, request: Request, name: str, format: str) -> HttpResponseBase:
        if format not in ENCODERS:
            raise NotFound
        try:
            audio = heard.encoded(cast(User, request.user).pk, name, format)
        except heard.TakeGone:
            raise NotFound from None
        attached = f'attachment; filename="speech-{name[-6:]}.{format}"'
        answer = as_media(HttpResponse(audio), ENCODERS[format].media_type, attached)
        answer["cache-control"] = "private, no-store"
        return answer


take = gated(TakeView.as_view())
