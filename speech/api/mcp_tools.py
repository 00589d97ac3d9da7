"""What MCP clients can call, and how each call becomes one of the other faces' own.

A tool's refusal is its result, in the words of the one error table, so that a model can read it.
"""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    AudioContent,
    CallToolResult,
    ResourceLink,
    TextContent,
    Tool,
    ToolAnnotations,
)
from rest_framework import serializers

from accounts.gate import beside_the_gate, in_gate
from accounts.permissions import require_scope
from speech.api.mcp import Exchange
from speech.api.native import engine_object
from speech.api.recording import recorded
from speech.api.responses import logged
from speech.api.serializers import Choice, Flag, Integer, McpSpeechSerializer, Number
from speech.api.spoken import Link, lend
from speech.api.voice_forms import McpVoiceSerializer
from speech.audio import ENCODERS
from speech.errors import Failure, InvalidField
from speech.requests import Caller
from speech.runtime import runtime
from speech.synthesis import Synthesis, prepare
from voices.cloning import clone_voice
from voices.listing import listed_voices, voice_object

Report = Callable[[float, float | None, str | None], Awaitable[None]]
# Between two notes on how far the speaking is.
PROGRESS_SECONDS = 0.25


async def call(
    name: str, arguments: dict[str, Any], exchange: Exchange, report: Report
) -> CallToolResult:
    """Call a tool. Raises MCPError for a name that is none."""
    if name not in ("speak", "clone_voice") and name not in _PLAIN:
        raise MCPError(INVALID_PARAMS, "There is no tool of that name.")
    try:
        if name == "speak":
            return await _speak(arguments, exchange.caller, report)
        if name == "clone_voice":
            return _told(await beside_the_gate(_clone, arguments, exchange))
        _take_none(arguments)
        return _told(await in_gate(_PLAIN[name], exchange.caller))
    except Exception as error:  # noqa: BLE001 - `logged` logs it; the SDK would tell its own words
        return _refused(logged(error))


# -- speak


async def _speak(arguments: dict[str, Any], caller: Caller, report: Report) -> CallToolResult:
    synthesis = await in_gate(_prepared, arguments, caller)
    progress = Progress(synthesis, report)
    linked = settings.MCP_LINK_BYTES if settings.TAKE_MINUTES else 0
    limit = max(settings.MCP_AUDIO_BYTES, linked)
    async with recorded(synthesis, limit, progress.tell) as audio:
        if synthesis.bytes_sent > settings.MCP_AUDIO_BYTES:
            link = await beside_the_gate(lend, audio, synthesis.plan.response_format)
            return _linked(_description(synthesis), link)
        data = base64.b64encode(audio.read()).decode()
    media_type = ENCODERS[synthesis.plan.response_format].media_type
    content = AudioContent(data=data, mime_type=media_type)
    return _told(_description(synthesis), content)


def _linked(told: dict[str, Any], link: Link) -> CallToolResult:
    container = told["format"]
    content = ResourceLink(
        uri=link.url,
        name=f"speech.{container}",
        description=f"The audio, until {link.ends:%Y-%m-%d %H:%M} UTC",
        mime_type=ENCODERS[container].media_type,
        size=told["bytes"],
    )
    return _told(told | {"url": link.url, "expires_at": int(link.ends.timestamp())}, content)


def _prepared(arguments: dict[str, Any], caller: Caller) -> Synthesis:
    require_scope(caller.key, "speech")
    serializer = McpSpeechSerializer(data=arguments)
    serializer.is_valid(raise_exception=True)
    return prepare(serializer.speech_request(), caller)


def _description(synthesis: Synthesis) -> dict[str, Any]:
    plan = synthesis.plan
    return {
        "object": "speech",
        "format": plan.response_format,
        "bytes": synthesis.bytes_sent,
        "seconds": synthesis.audio_ms / 1000,
        "characters": plan.characters,
        "voice": plan.voice,
        "model": synthesis.info.model,
        "engine": synthesis.info.engine,
        "seed": synthesis.seed,
        "warnings": list(plan.warnings),
        "request_id": synthesis.caller.request_id,
    }


class Progress:
    """Tells how many seconds of audio there are, every now and then; how many it will be, nobody
    knows before."""

    def __init__(self, synthesis: Synthesis, report: Report) -> None:
        self._synthesis = synthesis
        self._report = report
        self._next = 0.0
        self._told = 0.0

    async def tell(self) -> None:
        seconds, now = self._synthesis.audio_ms / 1000, time.monotonic()
        # What is told must grow: a chunk may hold nothing yet.
        if now >= self._next and seconds > self._told:
            self._next, self._told = now + PROGRESS_SECONDS, seconds
            await self._report(seconds, None, f"{seconds:.1f} seconds of audio")


# -- clone_voice


def _clone(arguments: dict[str, Any], exchange: Exchange) -> dict[str, Any]:
    require_scope(exchange.caller.key, "voices")
    serializer = McpVoiceSerializer(data=arguments)
    serializer.is_valid(raise_exception=True)
    fields = dict(serializer.validated_data)
    audio = fields.pop("audio")
    voice = clone_voice(
        exchange.caller.account,
        exchange.origin,
        io.BytesIO(audio),
        len(audio),
        field="audio",
        **fields,
    )
    return voice_object(voice)


# -- the plain ones: they take nothing and tell something


def _take_none(arguments: dict[str, Any]) -> None:
    for name in arguments:
        raise InvalidField("This tool takes no arguments.", name[:100])


def _voices(caller: Caller) -> dict[str, Any]:
    return {"object": "list", "voices": listed_voices(caller.account, caller.key)}


def _status(caller: Caller) -> dict[str, Any]:
    return engine_object(runtime.stats())


def _unload(caller: Caller) -> dict[str, Any]:
    require_scope(caller.key, "engine")
    runtime.engine.unload()
    return engine_object(runtime.stats())


_PLAIN = {"list_voices": _voices, "engine_status": _status, "unload_engine": _unload}


# -- what a client reads


def _told(data: dict[str, Any], *content: AudioContent | ResourceLink) -> CallToolResult:
    """Data for programs, and the same as text for clients that read nothing else."""
    text = TextContent(text=json.dumps(data, ensure_ascii=False))
    return CallToolResult(content=[*content, text], structured_content=data)


def _refused(failure: Failure) -> CallToolResult:
    error = {**failure.envelope["error"], "retry_after": failure.retry_after}
    return CallToolResult(
        content=[TextContent(text=failure.message)],
        structured_content={"error": error},
        is_error=True,
    )


def client_has_left() -> CallToolResult:
    """For the SDK, which wants a result even when there is nobody to read it."""
    return CallToolResult(content=[TextContent(text="The client has left.")], is_error=True)


def _property(field: serializers.Field[Any, Any, Any, Any]) -> dict[str, Any]:
    """A serializer's field as JSON Schema: what is checked is also what is told."""
    if isinstance(field, Choice):
        return {"type": "string", "enum": list(field.choices)}
    if isinstance(field, Integer | Number):
        kind = "integer" if isinstance(field, Integer) else "number"
        return {"type": kind, "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, Flag):
        return {"type": "boolean"}
    longest = getattr(field, "max_length", None)
    return {"type": "string", **({"maxLength": longest} if longest else {})}


def _schema(fields: Mapping[str, serializers.Field[Any, Any, Any, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {**_property(field), "description": str(field.help_text)}
            for name, field in fields.items()
        },
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
    }


_NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}
_LOOKS = ToolAnnotations(read_only_hint=True)
TOOLS = [
    Tool(
        name="speak",
        description="Speak a text; the answer holds the audio, or, where that is long, a link to "
        "it that ends after a while. Characters and seconds are metered.",
        input_schema=_schema(McpSpeechSerializer().fields),
        annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False),
    ),
    Tool(
        name="clone_voice",
        description="Make a voice of somebody's recording, with the consent of whose voice it is. "
        "Needs a key with the scope `voices`; `speak` takes the new voice by its id or name.",
        input_schema=_schema(McpVoiceSerializer().fields),
        annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False),
    ),
    Tool(
        name="list_voices",
        description="The voices that `speak` may be asked for, with descriptions.",
        input_schema=_NOTHING,
        annotations=_LOOKS,
    ),
    Tool(
        name="engine_status",
        description="The engine's state, model, languages, abilities, slots and queue.",
        input_schema=_NOTHING,
        annotations=_LOOKS,
    ),
    Tool(
        name="unload_engine",
        description="Unload the model from memory; refused while anybody is being spoken to. "
        "Needs a key with the scope `engine`.",
        input_schema=_NOTHING,
        annotations=ToolAnnotations(read_only_hint=False, destructive_hint=True),
    ),
]
