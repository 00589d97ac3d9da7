"""The shapes of answers, for the OpenAPI schema alone: what is sent is built where it is known."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from speech.engine.types import Ability, EngineState

Shape = serializers.Serializer[Any]


def constant(value: str) -> serializers.RegexField:
    """A field that is always the same word."""
    return serializers.RegexField(f"^{value}$")


class ErrorShape(Shape):
    """What went wrong, and which field was to blame."""

    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class ErrorResponse(Shape):
    """OpenAI's envelope; the table of errors stands in docs/api.md."""

    error = ErrorShape()


class ModelShape(Shape):
    """OpenAI's Model."""

    id = serializers.CharField()
    object = constant("model")
    created = serializers.IntegerField(help_text="Seconds since 1970.")
    owned_by = serializers.CharField()


class ModelList(Shape):
    object = constant("list")
    data = ModelShape(many=True)  # type: ignore[assignment]


class AudioModelList(ModelList):
    """The same list twice: under OpenAI's name and under Open WebUI's."""

    models = ModelShape(many=True)


class EventShape(Shape):
    """One server-sent event; docs/api.md tells what its data holds."""

    event = serializers.CharField(required=False, help_text="`error` when speaking broke off.")
    data = serializers.CharField(  # type: ignore[assignment]
        help_text="JSON: a `speech.audio.delta`, a `speech.mark` or the `speech.audio.done`."
    )


class EngineShape(Shape):
    """The engine, as far as it is known: a model that is not loaded has no sample rate."""

    object = constant("engine")
    engine = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    names = serializers.ListField(child=serializers.CharField())
    sample_rate = serializers.IntegerField(allow_null=True)
    languages = serializers.ListField(child=serializers.CharField(), help_text="BCP 47 tags.")
    abilities = serializers.ListField(child=serializers.ChoiceField(sorted(Ability)))
    state = serializers.ChoiceField(list(EngineState))
    reason = serializers.CharField(help_text="Why the state is not ready.")
    notice = serializers.CharField(
        help_text="What people should know: about the choice of engine, and what runs otherwise "
        "than was asked for."
    )
    slots = serializers.IntegerField(help_text="How many streams can run at once.")
    running = serializers.IntegerField()
    waiting = serializers.IntegerField()
    restarts = serializers.IntegerField()
    load_seconds = serializers.FloatField(allow_null=True, help_text="What the last load took.")


class CharactersShape(Shape):
    used = serializers.IntegerField()
    reserved = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)


class SecondsShape(Shape):
    used = serializers.FloatField()
    reserved = serializers.FloatField()
    limit = serializers.IntegerField(allow_null=True)


class MonthShape(Shape):
    """What one account or key used this month, and may use."""

    characters = CharactersShape()
    audio_seconds = SecondsShape()


class UsageShape(Shape):
    object = constant("usage")
    month = serializers.RegexField(r"^\d{4}-\d{2}$", help_text="The month, in UTC.")
    account = MonthShape()
    key = MonthShape(allow_null=True, help_text="Null for a browser.")
