"""Request shapes: what may stand in a body, strictly by type. Nothing is looked up here."""

from __future__ import annotations

import base64
import math
import re
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict

from speech.audio import ENCODERS
from speech.requests import SpeechRequest

UNENCODABLE = re.compile(r"[\x00\ud800-\udfff]")
# Bounded everywhere: hostile ones must not take long to be refused.
_DATA_URL = re.compile(
    r"data:(?:[\w.+-]{1,60}/[\w.+-]{1,60})?(?:;[\w.+-]{1,40}=[\w.+-]{1,40}){0,4};base64,",
    re.ASCII,
)
# These containers take their own rates only; pcm, wav and flac carry any.
FIXED_RATE_FORMATS = {"mp3", "opus", "aac"}
OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True}


class Text(serializers.CharField):
    """A string and nothing that merely looks like one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if UNENCODABLE.search(data):
            raise serializers.ValidationError("It holds characters that are not text.", "invalid")
        return data


def _range(low: float, high: float) -> dict[str, Any]:
    """Both bounds in either message: who overshoots one wants to know the other."""
    message = f"It must lie between {low} and {high}."
    return {"min_value": message, "max_value": message}


class Number(serializers.FloatField):
    """A finite number; true and "1" are not numbers."""

    def __init__(self, min_value: float, max_value: float, **kwargs: Any) -> None:
        messages = _range(min_value, max_value)
        super().__init__(
            min_value=min_value, max_value=max_value, error_messages=messages, **kwargs
        )

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            value = float(data)
        except OverflowError:
            self.fail("invalid")
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class Integer(serializers.IntegerField):
    """A whole number; 1.0 and true are not."""

    def __init__(self, min_value: int, max_value: int, **kwargs: Any) -> None:
        messages = _range(min_value, max_value)
        super().__init__(
            min_value=min_value, max_value=max_value, error_messages=messages, **kwargs
        )

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """true or false, not "yes" or 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=type(data).__name__)
        return data


class Choice(serializers.ChoiceField):
    """One of the given strings, written exactly so."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(
                f"It must be one of {', '.join(self.choices)}.", "invalid_choice"
            )
        return data


class Recording(Text):
    """A recording in a ``data:`` URL. Nothing is ever fetched."""

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        found = _DATA_URL.match(super().to_internal_value(data))
        if found is None:
            raise serializers.ValidationError(
                "Send the recording itself, as data:audio/…;base64,…: nothing is fetched from "
                "anywhere.",
                "invalid",
            )
        try:
            return base64.b64decode(data[found.end() :], validate=True)
        except ValueError:
            raise serializers.ValidationError("It is not valid base64.", "invalid") from None


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": 200},
            {
                "type": "object",
                "properties": {"id": {"type": "string", "minLength": 1, "maxLength": 200}},
                "required": ["id"],
                "additionalProperties": False,
            },
        ]
    }
)
class VoiceField(serializers.Field[Any, Any, Any, Any]):
    """A voice's name or id, bare or as ``{"id": ...}``."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, dict) and set(data) == {"id"}:
            data = data["id"]
        if not isinstance(data, str) or len(data) > 200 or UNENCODABLE.search(data):
            raise serializers.ValidationError(
                'It must be a name of at most 200 characters or {"id": "..."}.', "invalid"
            )
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class SpeechSerializer(serializers.Serializer[SpeechRequest]):
    """The body of POST /v1/audio/speech. Unknown keys are reported, not refused."""

    model = Text(min_length=1, max_length=200, help_text="A name from GET /v1/models.")
    input = Text(
        min_length=1,
        max_length=settings.MAX_INPUT_CHARACTERS,
        error_messages={"blank": "There is nothing to say."},
        help_text="The text to speak. Its code points are what is charged.",
    )
    voice = VoiceField(**OPTIONAL, help_text="A voice's id, bare or in an object.")
    response_format = Choice(choices=sorted(ENCODERS), **OPTIONAL, help_text="By default mp3.")
    stream_format = Choice(
        choices=["audio", "sse"], **OPTIONAL, help_text="Bytes, or events that carry them."
    )
    speed = Number(0.25, 4.0, **OPTIONAL, help_text="The tempo; the pitch stays.")
    instructions = Text(
        max_length=4096, allow_blank=True, **OPTIONAL, help_text="How to speak, where a model can."
    )
    language = Text(max_length=35, allow_blank=True, **OPTIONAL, help_text="A BCP 47 tag, or auto.")
    seed = Integer(0, 2**63 - 1, **OPTIONAL, help_text="The same seed repeats a take.")
    sample_rate = Integer(8000, 48000, **OPTIONAL, help_text="In Hz, for pcm, wav and flac.")
    cfg_value = Number(0.0, 10.0, **OPTIONAL, help_text="Guidance.")
    inference_timesteps = Integer(1, 100, **OPTIONAL, help_text="More sound better, and slower.")
    max_new_tokens = Integer(1, 4096, **OPTIONAL, help_text="The engine's own limit.")
    normalize = Flag(**OPTIONAL, help_text="Read numbers, dates and addresses as words.")
    ref_audio = Recording(
        **OPTIONAL,
        help_text="A recording whose voice speaks this once: data:audio/wav;base64,… and no URL.",
    )
    ref_text = Text(max_length=1000, **OPTIONAL, help_text="Exactly the words of ref_audio.")
    consent = Text(
        max_length=2000,
        **OPTIONAL,
        help_text="With ref_audio: a cons_… id, or that the owner of the voice agrees, in words.",
    )

    @property
    def fields(self) -> BindingDict:
        """Made once: none keeps anything of a request, and to copy them takes longer than to
        check one."""
        return _fields_of(type(self))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null means not given, in every optional field: the official SDKs send it."""
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return super().run_validation(data)

    def validate_instructions(self, value: str) -> str | None:
        """Home Assistant sends the word "None" when it has no instructions."""
        return value if value.strip() and value != "None" else None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("ref_text", "consent"):
            if attrs.get(name) and not attrs.get("ref_audio"):
                raise serializers.ValidationError({name: "It belongs to a ref_audio."})
        container = attrs.get("response_format", "mp3")
        if "sample_rate" in attrs and container in FIXED_RATE_FORMATS:
            raise serializers.ValidationError(
                {"sample_rate": f"{container} has rates of its own: ask for wav, flac or pcm."}
            )
        return attrs

    def unknown(self) -> list[str]:
        """The keys we do not know, cut to what can safely stand in a header or a message."""
        names = sorted(str(name) for name in set(self.initial_data) - set(self.fields))
        return [re.sub(r"[^A-Za-z0-9_.-]", "?", name[:40]) for name in names[:20]]

    def speech_request(self) -> SpeechRequest:
        """The validated request; an empty voice or language is one that was not given."""
        given = {
            name: value for name, value in self.validated_data.items() if value not in ("", b"")
        }
        return SpeechRequest(**given)


class NativeSpeechSerializer(SpeechSerializer):
    """The body of POST /api/speech: the same controls; an unknown key is an error."""

    model = Text(max_length=200, **OPTIONAL, help_text="By default the engine that runs.")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, dict) and (unknown := self.unknown()):
            raise serializers.ValidationError({unknown[0]: "There is no such field."})
        return super().run_validation(data)


class McpSpeechSerializer(NativeSpeechSerializer):
    """The arguments of MCP's tool: the controls a model can make sense of."""

    text = Text(
        source="input",
        min_length=1,
        max_length=settings.MAX_INPUT_CHARACTERS,
        error_messages={"blank": "There is nothing to say."},
        help_text="The text to speak. Its code points are what is charged.",
    )
    format = Choice(
        source="response_format", choices=sorted(ENCODERS), **OPTIONAL, help_text="By default mp3."
    )
    input = response_format = stream_format = None  # type: ignore[assignment]
    sample_rate = cfg_value = inference_timesteps = None  # type: ignore[assignment]
    max_new_tokens = normalize = None  # type: ignore[assignment]
    ref_audio = ref_text = consent = None  # type: ignore[assignment]


@cache
def _fields_of(kind: type[SpeechSerializer]) -> BindingDict:
    serializer = kind()
    fields = BindingDict(serializer)
    for name, field in serializer.get_fields().items():
        fields[name] = field
    return fields
