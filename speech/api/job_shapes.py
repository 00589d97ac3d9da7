"""The shapes of jobs for the OpenAPI schema alone: what is sent is built in ``job_objects``."""

from __future__ import annotations

from rest_framework import serializers

from speech.api.shapes import Shape, constant
from speech.job_models import State
from speech.job_parts import Output, Segment


class SegmentCounts(Shape):
    total = serializers.IntegerField()
    finished = serializers.IntegerField()
    failed = serializers.IntegerField()


class CharacterCounts(Shape):
    total = serializers.IntegerField()
    done = serializers.IntegerField()


class FailureShape(Shape):
    code = serializers.CharField()
    message = serializers.CharField()


class SegmentError(FailureShape):
    index = serializers.IntegerField()


class JobFileShape(Shape):
    """A file as progress tells of it."""

    id = serializers.CharField()
    format = serializers.ChoiceField(list(Output.FORMATS))
    split = serializers.ChoiceField(list(Output.Split.values))
    state = serializers.ChoiceField(list(Output.State.values))
    size = serializers.IntegerField()
    seconds = serializers.FloatField()
    error = serializers.CharField()


class ProgressShape(Shape):
    """How far a job is; the same comes over /ws/progress/."""

    id = serializers.CharField()
    object = constant("job.progress")
    state = serializers.ChoiceField(list(State.values))
    reason = serializers.CharField(help_text="A code: why it waits, is paused, or failed.")
    message = serializers.CharField()
    segments = SegmentCounts()
    characters = CharacterCounts()
    audio_seconds = serializers.FloatField()
    rtf = serializers.FloatField(allow_null=True, help_text="Wall seconds per audio second.")
    seconds_left = serializers.FloatField(allow_null=True, help_text="By the measured speed.")
    queue_place = serializers.IntegerField(allow_null=True)
    playable = serializers.IntegerField(help_text="Segments that are there from the first one on.")
    errors = SegmentError(many=True)  # type: ignore[assignment]
    outputs = JobFileShape(many=True)


class JobShape(Shape):
    id = serializers.CharField()
    object = constant("job")
    title = serializers.CharField()
    state = serializers.ChoiceField(list(State.values))
    reason = serializers.CharField()
    message = serializers.CharField()
    characters = serializers.IntegerField(help_text="What it costs when all of it is said once.")
    segments = SegmentCounts()
    voice = serializers.CharField()
    created_at = serializers.IntegerField(help_text="Seconds since 1970.")
    started_at = serializers.IntegerField(allow_null=True)
    finished_at = serializers.IntegerField(allow_null=True)


class JobList(Shape):
    object = constant("list")
    data = JobShape(many=True)  # type: ignore[assignment]
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class ChapterShape(Shape):
    title = serializers.CharField()
    voice = serializers.CharField()
    segments = serializers.IntegerField()
    characters = serializers.IntegerField()


class DetailedJobShape(JobShape):
    speakers = serializers.DictField(child=serializers.CharField())
    chapters = ChapterShape(many=True)
    settings = serializers.DictField()
    seed = serializers.IntegerField()
    webhook_url = serializers.CharField()
    progress = ProgressShape()


class NewJobShape(DetailedJobShape):
    webhook_secret = serializers.CharField(
        required=False, help_text="Shown this once, where there is a webhook."
    )


class JobErased(Shape):
    id = serializers.CharField()
    object = constant("job")
    deleted = serializers.BooleanField()


class SegmentShape(Shape):
    object = constant("job.segment")
    index = serializers.IntegerField()
    chapter = serializers.IntegerField()
    speaker = serializers.CharField()
    text = serializers.CharField()
    characters = serializers.IntegerField()
    voice = serializers.CharField(help_text="Its own; empty where the job decides.")
    seed = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(list(Segment.State.values))
    version = serializers.IntegerField()
    error = FailureShape(allow_null=True)
    has_audio = serializers.BooleanField(help_text="Also while it is said again.")
    audio_seconds = serializers.FloatField()
    spoken_voice = serializers.CharField()
    spoken_seed = serializers.IntegerField(allow_null=True)
    pause_ms = serializers.IntegerField()


class SegmentList(Shape):
    object = constant("list")
    data = SegmentShape(many=True)  # type: ignore[assignment]
    last_index = serializers.IntegerField(allow_null=True)
    has_more = serializers.BooleanField()


class OutputShape(JobFileShape):
    object = constant("job.output")
    loudness = serializers.FloatField(allow_null=True, help_text="In LUFS.")


class JobUploadShape(Shape):
    """The body of POST /api/jobs as a form."""

    file = serializers.FileField(help_text="txt, md, srt, epub or docx.")
    options = serializers.CharField(
        required=False, help_text="The other fields of the JSON body, as a JSON object."
    )
