"""Bodies and shapes of designing a voice; an unknown key is an error."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from speech.api.serializers import Integer, Text
from speech.api.shapes import constant
from speech.api.voice_forms import Strict
from speech.api.voice_shapes import ReportShape
from voices.designs import DESCRIPTION_LENGTHS, TEXT_LENGTHS

Shape = serializers.Serializer[Any]
_LEAST, _MOST = DESCRIPTION_LENGTHS
_SHORTEST, _LONGEST = TEXT_LENGTHS


class CandidateForm(Strict):
    """What another candidate may differ in."""

    seed = Integer(0, 2**63 - 1, required=False, help_text="By default one is drawn.")
    model = Text(max_length=200, required=False, help_text="By default the engine that runs.")


class DesignForm(CandidateForm):
    """A voice in words, and what is said to hear it."""

    description = Text(min_length=_LEAST, max_length=_MOST)
    text = Text(
        min_length=_SHORTEST,
        max_length=_LONGEST,
        required=False,
        help_text="What the candidates say; by default a sentence in English.",
    )
    language = Text(max_length=35, required=False, help_text="A BCP 47 tag.")


class KeepForm(Strict):
    """What the voice is called; description and language are the design's unless given."""

    name = Text(min_length=1, max_length=100)
    description = Text(max_length=500, allow_blank=True, required=False)
    language = Text(max_length=35, allow_blank=True, required=False)
    tags = serializers.ListField(
        child=Text(min_length=1, max_length=40), max_length=20, required=False
    )


class CandidateShape(Shape):
    """One take of a design."""

    object = constant("voice.candidate")
    number = serializers.IntegerField()
    seed = serializers.IntegerField(allow_null=True)
    model = serializers.CharField()
    created_at = serializers.IntegerField()
    seconds = serializers.FloatField()
    report = ReportShape()


class DesignShape(Shape):
    """A voice in the making."""

    id = serializers.CharField()
    object = constant("voice.design")
    description = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField()
    created_at = serializers.IntegerField()
    expires_at = serializers.IntegerField(help_text="Then it is erased, if none was kept.")
    candidates = CandidateShape(many=True)


class DesignList(Shape):
    object = constant("list")
    data = DesignShape(many=True)  # type: ignore[assignment]


class DesignErased(Shape):
    id = serializers.CharField()
    object = constant("voice.design")
    deleted = serializers.BooleanField()
