"""The shapes of voices, consents and their forms, for the OpenAPI schema alone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from speech.api.serializers import Text
from speech.api.shapes import constant

Shape = serializers.Serializer[Any]
OWN = "Only of voices that somebody owns."


class VoiceShape(Shape):
    """A voice in the words of every client that lists them."""

    id = serializers.CharField()
    object = constant("audio.voice")
    name = serializers.CharField()
    type = serializers.ChoiceField(["audio_sample", "prompt"])
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    language = serializers.CharField(help_text="A BCP 47 tag, or nothing.")
    created_at = serializers.IntegerField(help_text="Seconds since 1970; 0 for built-in voices.")
    state = serializers.ChoiceField(["draft", "ready", "disabled"], required=False, help_text=OWN)
    visibility = serializers.ChoiceField(
        ["private", "shared", "public"], required=False, help_text=OWN
    )
    version = serializers.IntegerField(required=False, help_text=OWN)


class VoiceList(Shape):
    object = constant("list")
    voices = VoiceShape(many=True)
    data = VoiceShape(many=True)  # type: ignore[assignment]


class VoiceNames(Shape):
    """With ``legacy=true``: ids only, for older clients."""

    voices = serializers.ListField(child=serializers.CharField())


VOICES = PolymorphicProxySerializer(
    component_name="Voices", serializers=[VoiceList, VoiceNames], resource_type_field_name=None
)
VOICE_OR_LIST = PolymorphicProxySerializer(
    component_name="VoiceOrVoices",
    serializers=[VoiceShape, VoiceList],
    resource_type_field_name=None,
)


class VoiceDeleted(Shape):
    id = serializers.CharField()
    object = constant("audio.voice.deleted")
    deleted = serializers.BooleanField()


class Limits(Shape):
    """How far an agreement goes."""

    purposes = serializers.CharField(
        required=False, max_length=500, help_text="What it is for, in words."
    )
    languages = serializers.CharField(
        required=False, help_text="BCP 47 tags that may be spoken, with commas between them."
    )
    expires_at = serializers.IntegerField(
        required=False, help_text="Seconds since 1970 from which it holds no longer."
    )


class VoiceForm(Limits):
    """What makes a voice: OpenAI's fields, and some more."""

    name = serializers.CharField(max_length=100)
    audio_sample = serializers.FileField(help_text="At most 10 MiB, 1 to 30 seconds.")
    consent = serializers.CharField(
        required=False, help_text="A cons_… id, or that the owner of the voice agrees, in words."
    )
    type = serializers.ChoiceField(["audio_sample"], required=False)
    transcript = serializers.CharField(
        required=False, help_text="Exactly the words of the recording; ref_text is the same."
    )
    language = serializers.CharField(required=False, help_text="A BCP 47 tag.")
    description = serializers.CharField(required=False, max_length=500)
    override = serializers.ChoiceField(
        ["true", "false"], required=False, help_text="Use it in spite of warnings."
    )


class VersionForm(Shape):
    audio_sample = serializers.FileField(help_text="At most 10 MiB, 1 to 30 seconds.")
    transcript = serializers.CharField(required=False, help_text="Exactly its words.")
    override = serializers.ChoiceField(
        ["true", "false"], required=False, help_text="Use it in spite of warnings."
    )


class MeasuresShape(Shape):
    """Of the recording as it came in."""

    seconds = serializers.FloatField()
    speech_seconds = serializers.FloatField()
    speech_share = serializers.FloatField()
    speech_level_db = serializers.FloatField()
    peak_db = serializers.FloatField()
    noise_floor_db = serializers.FloatField()
    signal_to_noise_db = serializers.FloatField()
    clipped_share = serializers.FloatField()
    dc = serializers.FloatField()
    bandwidth_hz = serializers.IntegerField()
    silence_before = serializers.FloatField()
    silence_after = serializers.FloatField()


class FindingShape(Shape):
    severity = serializers.ChoiceField(["failure", "warning", "note"])
    code = serializers.CharField()
    message = serializers.CharField()


class ReportShape(Shape):
    """The check: measures, findings in words, and which seconds were kept."""

    measures = MeasuresShape()
    findings = FindingShape(many=True)
    kept_from = serializers.FloatField()
    kept_to = serializers.FloatField()


class SampleShape(Shape):
    """One version of a voice."""

    object = constant("voice.version")
    version = serializers.IntegerField()
    created_at = serializers.IntegerField()
    sha256 = serializers.CharField()
    sample_rate = serializers.IntegerField()
    transcript = serializers.CharField()
    overridden = serializers.BooleanField()
    speaker_checked = serializers.CharField(
        help_text="Who found the voice of its consent in it; `unchecked` where nobody looked."
    )
    report = ReportShape()


class SampleList(Shape):
    object = constant("list")
    data = SampleShape(many=True)  # type: ignore[assignment]


class NativeVoiceShape(VoiceShape):
    """A voice; consent, sharing and sample are shown to its owner alone."""

    kind = serializers.ChoiceField(["preset", "cloned", "designed"])
    tags = serializers.ListField(child=serializers.CharField())
    mine = serializers.BooleanField()
    consent = serializers.CharField(required=False, allow_null=True)
    shared_with = serializers.ListField(child=serializers.CharField(), required=False)
    sample = SampleShape(required=False)


class NativeVoiceList(Shape):
    object = constant("list")
    data = NativeVoiceShape(many=True)  # type: ignore[assignment]
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class ErasureShape(Shape):
    """The receipt. `finished_at` is null while the storage still holds something."""

    id = serializers.CharField()
    object = constant("voice.erasure")
    sha256 = serializers.ListField(child=serializers.CharField())
    started_at = serializers.IntegerField()
    finished_at = serializers.IntegerField(allow_null=True)
    signature = serializers.CharField(help_text="The platform's, over all of this.")


class VoiceReported(Shape):
    id = serializers.CharField()
    object = constant("voice.report")
    reported = serializers.BooleanField()


class ConsentShape(Shape):
    """OpenAI's VoiceConsent, and what is known of it here."""

    id = serializers.CharField()
    object = constant("audio.voice_consent")
    name = serializers.CharField()
    language = serializers.CharField()
    relationship = serializers.CharField(help_text="Whose voice it is, in words.")
    created_at = serializers.IntegerField()
    state = serializers.ChoiceField(["pending", "active", "refused", "withdrawn", "expired"])
    phrase = serializers.CharField(help_text="What was to be read.")
    phrase_language = serializers.CharField(help_text="The phrase's own language.")
    statement = serializers.CharField(help_text="What was attested where nothing was recorded.")
    purposes = serializers.CharField(help_text="What it is for; empty for any use.")
    languages = serializers.ListField(
        child=serializers.CharField(), help_text="What may be spoken; empty for any language."
    )
    expires_at = serializers.IntegerField(
        allow_null=True, help_text="Seconds since 1970; null where it has no end."
    )
    document_sha256 = serializers.CharField(help_text="Of what was signed, where something was.")
    words_checked = serializers.CharField(help_text="By whom; `unchecked` by nobody.")
    withdrawal_reason = serializers.CharField(
        help_text="Why it was withdrawn, where that was said."
    )


class ConsentList(Shape):
    object = constant("list")
    data = ConsentShape(many=True)  # type: ignore[assignment]
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class ConsentDeleted(Shape):
    id = serializers.CharField()
    object = constant("audio.voice_consent")
    deleted = serializers.BooleanField()


class ConsentForm(Limits):
    name = serializers.CharField(max_length=100, help_text="A label.")
    language = serializers.CharField(help_text="A BCP 47 tag.")
    recording = serializers.FileField(
        required=False, help_text="At most 10 MiB, 1 to 30 seconds; required without a `statement`."
    )
    statement = serializers.CharField(
        required=False,
        min_length=10,
        max_length=2000,
        help_text="Somebody's word in place of a recording, where `REQUIRE_CONSENT` takes one.",
    )
    phrase = serializers.CharField(
        required=False, help_text="The id of the phrase that is read in it."
    )
    relationship = serializers.CharField(required=False, max_length=100)
    document_sha256 = serializers.RegexField(
        "^[0-9A-Fa-f]{64}$", required=False, help_text="The SHA-256 of what the owner has signed."
    )


class ConsentName(Shape):
    """Of a consent only its label can be changed."""

    name = Text(min_length=1, max_length=100)


class PhraseShape(Shape):
    """What the owner of a voice reads aloud."""

    id = serializers.CharField(help_text="Send it as `phrase` with the recording.")
    object = constant("audio.voice_consent.phrase")
    language = serializers.CharField()
    text = serializers.CharField()
    expires_at = serializers.IntegerField(help_text="Seconds since 1970.")
