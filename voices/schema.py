"""The shape of the voice list, for the OpenAPI schema alone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers


class VoiceShape(serializers.Serializer[Any]):
    """A voice in the words of every client that lists them."""

    id = serializers.CharField()
    object = serializers.RegexField(r"^audio\.voice$")
    name = serializers.CharField()
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    created_at = serializers.IntegerField(help_text="Seconds since 1970; 0 for built-in voices.")


class VoiceList(serializers.Serializer[Any]):
    object = serializers.RegexField("^list$")
    voices = VoiceShape(many=True)
    data = VoiceShape(many=True)  # type: ignore[assignment]


class VoiceNames(serializers.Serializer[Any]):
    """With ``legacy=true``: ids only, for older clients."""

    voices = serializers.ListField(child=serializers.CharField())


VOICES = PolymorphicProxySerializer(
    component_name="Voices", serializers=[VoiceList, VoiceNames], resource_type_field_name=None
)
