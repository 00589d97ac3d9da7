"""A Synthesis as an HTTP answer: bytes of a container, or server-sent events around them.

The first bytes are made before the status line leaves, so what fails until then is a proper JSON
error; what fails later raises, and the server cuts the connection.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from accounts.gate import AsyncView, gated, in_place_of
from speech.audio import create_encoder
from speech.engine.types import AudioChunk
from speech.errors import Failure, describe
from speech.synthesis import Synthesis

log = structlog.get_logger("speech.api")
# Compressing codecs take milliseconds a chunk: beside the event loop, not on it.
HEAVY_FORMATS = {"mp3", "opus", "aac"}
encoding = ThreadPoolExecutor(2, thread_name_prefix="encode")
# An output token is this much audio; documented as our unit.
TOKEN_MS = 80


class Prepared(HttpResponse):
    """What the gate hands the async part when it lets a request through; never sent."""

    def __init__(self, synthesis: Synthesis, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.synthesis = synthesis
        self.extra_headers = dict(headers)


def speech_view(gate_class: type[APIView], events: type[EventBody] | None = None) -> AsyncView:
    """The view of a speech route: ``gate_class`` decides, then it speaks; ``events`` are what it
    speaks in where events are asked for, by default OpenAI's."""
    gate = gated(gate_class.as_view(), carries_recording=_carries_recording)

    async def speak(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return await speech_response(partial(gate, **kwargs), request, events or EventBody)

    return in_place_of(gate, speak)


def _carries_recording(request: HttpRequest) -> bool:
    return b'"ref_audio"' in request.body


async def speech_response(
    gate: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
    request: HttpRequest,
    events: type[EventBody],
) -> HttpResponseBase:
    """Pass the gate, then speak: the whole life of a speech request, for either API."""
    prepared = await gate(request)
    if not isinstance(prepared, Prepared):
        return prepared
    sse = prepared.synthesis.plan.stream_format == "sse"
    body = (events if sse else AudioBody)(prepared.synthesis)
    await body.begin()
    headers = {**prepared.extra_headers, **_speech_headers(prepared.synthesis)}
    return SpeechResponse(body, headers)


def _speech_headers(synthesis: Synthesis) -> dict[str, str]:
    headers = {
        "x-model": synthesis.info.model,
        "x-engine": synthesis.info.engine,
        "cache-control": "no-store",
        # nginx would otherwise hold the audio back until it has a buffer full.
        "x-accel-buffering": "no",
    }
    if synthesis.seed is not None:
        headers["x-seed"] = str(synthesis.seed)
    return headers


class SpeechResponse(StreamingHttpResponse):
    """Streams a body as it is: Django would put two generators around it."""

    def __init__(self, body: AudioBody, headers: Mapping[str, str]) -> None:
        super().__init__(body, content_type=body.media_type, headers=dict(headers))
        self._body = body

    def __aiter__(self) -> AsyncGenerator[bytes]:
        return aiter(self._body)


class AudioBody:
    """A streaming body of encoded audio. ``close`` is Django's call when the client has left."""

    def __init__(self, synthesis: Synthesis) -> None:
        plan = synthesis.plan
        self.synthesis = synthesis
        self.format = plan.response_format
        self.encoder = create_encoder(self.format, synthesis.info.sample_rate, plan.sample_rate)
        self.media_type = self.encoder.media_type
        self._pieces = self._run()
        self._first = b""

    async def begin(self) -> None:
        """Make the first bytes. Raises what went wrong instead; the synthesis is then closed."""
        self._first = await anext(self._pieces)

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        # A client may leave between two pieces: codecs must not wait for the garbage collector.
        async with aclosing(self._pieces):
            yield self._take_first()
            async for piece in self._pieces:
                yield piece

    def _take_first(self) -> bytes:
        first, self._first = self._first, b""
        return first

    def close(self) -> None:
        """Settle with what was sent, unless that has happened already."""
        self.synthesis.close()

    async def _run(self) -> AsyncGenerator[bytes]:
        try:
            with self.synthesis:
                async with aclosing(self.synthesis.chunks(await self.synthesis.start())) as chunks:
                    async for chunk in chunks:
                        for piece in self.frames(await self._encode(chunk), chunk):
                            yield self._counted(piece)
                rest = self.frames(await self._flush(), None)
                yield self._counted(b"".join(rest) + self.ending())
        finally:
            # The answer may wait long for the garbage collector: its codec must not. One that
            # still works beside the loop goes when it has done.
            del self.encoder

    def frames(self, encoded: bytes, chunk: AudioChunk | None) -> list[bytes]:
        """How encoded bytes go onto the wire; nothing until the encoder has some."""
        return [encoded] if encoded else []

    def ending(self) -> bytes:
        """What follows the last audio."""
        return b""

    def _counted(self, piece: bytes) -> bytes:
        self.synthesis.bytes_sent += len(piece)
        return piece

    async def _encode(self, chunk: AudioChunk) -> bytes:
        return await self._beside_the_loop(self.encoder.encode, chunk.samples)

    async def _flush(self) -> bytes:
        return await self._beside_the_loop(self.encoder.flush)

    async def _beside_the_loop(self, work: Callable[..., bytes], *args: Any) -> bytes:
        if self.format not in HEAVY_FORMATS:
            return work(*args)
        return await asyncio.get_running_loop().run_in_executor(encoding, work, *args)


class EventBody(AudioBody):
    """The same bytes inside ``speech.audio.delta`` events, with usage at the end."""

    def __init__(self, synthesis: Synthesis) -> None:
        super().__init__(synthesis)
        self.media_type = "text/event-stream"

    async def _run(self) -> AsyncGenerator[bytes]:
        try:
            async with aclosing(super()._run()) as pieces:
                async for piece in pieces:
                    yield piece
        except Exception as error:
            if not self.synthesis.bytes_sent:
                raise
            # A clean end would look like success: say what happened, then cut the connection.
            yield event({"type": "error", **describe(error).envelope}, name="error")
            raise

    def frames(self, encoded: bytes, chunk: AudioChunk | None) -> list[bytes]:
        if not encoded:
            return []
        return [event({"type": "speech.audio.delta", "audio": base64.b64encode(encoded).decode()})]

    def ending(self) -> bytes:
        spoken = self.synthesis.plan.characters
        audio = -(-self.synthesis.audio_ms // TOKEN_MS)
        usage = {"input_tokens": spoken, "output_tokens": audio, "total_tokens": spoken + audio}
        return event({"type": "speech.audio.done", "usage": usage} | self.final())

    def final(self) -> dict[str, Any]:
        """What else the last event tells."""
        return {}


def event(data: Mapping[str, Any], name: str | None = None) -> bytes:
    """One server-sent event. ``data: `` with its space: parsers in the field insist on it."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def error_response(error: BaseException) -> HttpResponse:
    """The envelope for an error raised outside DRF: in the async part or before any view."""
    return failure_response(logged(error))


def failure_response(failure: Failure) -> HttpResponse:
    """A row of the table as a response."""
    return JsonResponse(failure.envelope, status=failure.status, headers=failure.headers)


def logged(error: BaseException) -> Failure:
    """The error's row of the table; what is our fault goes to the log with its traceback.

    To be out of reach or full is no fault, and a storm of such answers must stay cheap.
    """
    failure = describe(error)
    if failure.status == 503:
        log.warning("request_not_served", code=failure.code, reason=failure.message)
    elif failure.status >= 500:
        log.error("request_failed", code=failure.code, exc_info=error)
    return failure
