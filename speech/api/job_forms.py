"""What may stand in a body about a long text; an unknown key is an error."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from speech.api.serializers import OPTIONAL, Choice, Flag, Integer, Number, Text
from speech.api.voice_forms import Strict
from speech.job_parts import Output
from speech.longform.addresses import check_url
from speech.longform.submission import JobRequest
from speech.text import is_speakable, normalize_tag

# What a job keeps for all its segments, under the names of a speech request.
SETTINGS = (
    "model",
    "speed",
    "instructions",
    "language",
    "cfg_value",
    "inference_timesteps",
    "normalize",
)
LONGEST_SEGMENT = 2000


class VoicesField(serializers.DictField):
    """Voices by name; not too many."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Text(max_length=200, allow_blank=True), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > 2000:
            raise serializers.ValidationError("At most 2000 entries.", "invalid")
        return super().to_internal_value(data)


class OutputForm(Strict):
    """A file that is wanted."""

    format = Choice(choices=list(Output.FORMATS))
    split = Choice(
        choices=list(Output.Split.values),
        required=False,
        default="whole",
        help_text="One file, or a zip with one for each chapter and its captions.",
    )


class WebhookForm(Strict):
    """Who is told of the end."""

    url = Text(max_length=500, help_text="https, and an address that the world can reach.")
    secret = Text(
        min_length=16,
        max_length=200,
        required=False,
        help_text="Signs what is sent; without it one is made and shown once.",
    )

    def validate_url(self, value: str) -> str:
        try:
            check_url(value)
        except ValueError as error:
            raise serializers.ValidationError(str(error), "invalid") from None
        return value


class VoiceSettings(Strict):
    """How a text is spoken."""

    title = Text(max_length=200, allow_blank=True, **OPTIONAL)
    voice = Text(max_length=200, allow_blank=True, **OPTIONAL, help_text="Reads what has no other.")
    speakers = VoicesField(**OPTIONAL, help_text="The voice of each speaker, by name.")
    chapter_voices = VoicesField(**OPTIONAL, help_text='Voices by chapter: {"0": "nova"}.')
    model = Text(max_length=200, **OPTIONAL, help_text="By default the engine that runs.")
    language = Text(max_length=35, allow_blank=True, **OPTIONAL, help_text="A BCP 47 tag, or auto.")
    speed = Number(0.25, 4.0, **OPTIONAL, help_text="The tempo; the pitch stays.")
    instructions = Text(max_length=4096, allow_blank=True, **OPTIONAL)
    seed = Integer(0, 2**63 - 1, **OPTIONAL, help_text="Without one the job draws its own.")
    cfg_value = Number(0.0, 10.0, **OPTIONAL, help_text="Guidance.")
    inference_timesteps = Integer(1, 100, **OPTIONAL)
    normalize = Flag(**OPTIONAL, help_text="Read numbers, dates and addresses as words.")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null means not given."""
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return super().run_validation(data)

    def validate_language(self, value: str) -> str:
        if not value or value.lower() == "auto":
            return ""
        try:
            return normalize_tag(value)
        except ValueError:
            raise serializers.ValidationError("Send a BCP 47 tag such as en or zh-CN.") from None

    def validate_chapter_voices(self, value: dict[str, str]) -> dict[int, str]:
        if not all(number.isascii() and number.isdigit() and len(number) < 6 for number in value):
            raise serializers.ValidationError("Its keys are numbers of chapters, from 0 on.")
        return {int(number): voice for number, voice in value.items()}

    @property
    def kept_settings(self) -> dict[str, Any]:
        """What a job keeps in ``settings``."""
        given = self.validated_data
        return {name: given[name] for name in SETTINGS if given.get(name) not in (None, "")}


class JobOptions(VoiceSettings):
    """All of a job but its text."""

    outputs = OutputForm(many=True, required=False, help_text="Files to make; more may follow.")
    webhook = WebhookForm(**OPTIONAL)
    start = Flag(required=False, default=True, help_text="false makes a draft to look at first.")

    def validate_outputs(self, value: list[dict[str, str]]) -> list[dict[str, str]]:
        kinds = [(output["format"], output["split"]) for output in value]
        if len(set(kinds)) != len(kinds):
            raise serializers.ValidationError("Each kind of file once.", "invalid")
        return value

    def job_request(self, secret: str) -> JobRequest:
        """``secret`` signs where none was sent."""
        given = self.validated_data
        webhook = given.get("webhook") or {}
        return JobRequest(
            title=given.get("title", ""),
            voice=given.get("voice", ""),
            speakers=given.get("speakers") or {},
            chapter_voices=given.get("chapter_voices") or {},
            seed=given.get("seed"),
            settings=self.kept_settings,
            outputs=tuple(
                (output["format"], output["split"]) for output in given.get("outputs") or ()
            ),
            webhook_url=webhook.get("url", ""),
            webhook_secret=webhook.get("secret", secret) if webhook else "",
        )


class JobForm(JobOptions):
    """The body of POST /api/jobs as JSON."""

    input = Text(
        min_length=1,
        max_length=settings.MAX_JOB_CHARACTERS,
        error_messages={"blank": "There is nothing to say."},
        help_text="The text. A file may be sent as multipart/form-data instead.",
    )
    kind = Choice(choices=["txt", "md", "srt"], required=False, default="txt")


class JobChanges(VoiceSettings):
    """The body of PATCH /api/jobs/{id}. Only a draft changes in more than its title."""


class ActionForm(Strict):
    """The body of POST /api/jobs/{id}/action."""

    action = Choice(choices=["start", "pause", "resume", "cancel", "retry", "move"])
    before = Text(
        max_length=40, **OPTIONAL, help_text="move: the job to go before; else the first."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("before") and attrs["action"] != "move":
            raise serializers.ValidationError({"before": "It is for the action move alone."})
        return attrs


class SegmentChanges(Strict):
    """The body of PATCH /api/jobs/{id}/segments/{index}; it is said again in any case."""

    text = Text(min_length=1, max_length=LONGEST_SEGMENT, required=False)
    voice = Text(max_length=200, allow_blank=True, required=False)
    seed = Integer(0, 2**63 - 1, required=False, allow_null=True, help_text="Null: the job's.")
    version = Integer(
        *(1, 2**31 - 1),
        required=False,
        help_text="The one that was seen: nothing is done where somebody has changed it since.",
    )

    def validate_text(self, value: str) -> str:
        if not is_speakable(value):
            raise serializers.ValidationError("There is nothing to say.", "blank")
        return value
