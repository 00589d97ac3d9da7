"""The parts of a job: segments to hear and correct, files to make and fetch, captions."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from speech.api.consents import PAGE, page_size
from speech.api.job_forms import OutputForm, SegmentChanges
from speech.api.job_objects import output_object, segment_object
from speech.api.job_shapes import OutputShape, SegmentList, SegmentShape
from speech.api.jobs import JobFace, known_query, own_job
from speech.api.parsers import json_body
from speech.api.requests import as_id, caller_of
from speech.audio.books import MEDIA_TYPES
from speech.errors import InvalidField
from speech.job_models import Job
from speech.job_parts import Output, Segment
from speech.longform.news import bell
from speech.longform.timeline import cues_of, rate_of, srt, vtt
from speech.plan import find_voice
from voices.delivery import deliver

_CAPTIONS = {"srt": (srt, "application/x-subrip"), "vtt": (vtt, "text/vtt; charset=utf-8")}
_KINDS = (*MEDIA_TYPES.values(), "application/zip")


def _delivered(*kinds: str) -> dict[Any, Any]:
    """The answers of ``deliver`` for files of these kinds."""
    return {
        **{(status, kind): OpenApiTypes.BINARY for status in (200, 206) for kind in kinds},
        302: OpenApiResponse(description="It is at a signed link of the object storage."),
        416: OpenApiResponse(description="The range lies outside."),
    }


def own_segment(request: Request, name: str, index: int) -> Segment:
    """A segment of a job of the caller's account."""
    job = own_job(request, name)
    segment = job.segments.filter(index=index).first()
    if segment is None:
        raise NotFound
    segment.job = job
    return segment


def number_of(request: Request, name: str) -> int | None:
    """A number of the query, where there is one."""
    asked = request.query_params.get(name)
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 8):
        raise InvalidField(f"{name}: Send a number.", name)
    return int(asked)


class SegmentsView(JobFace):
    """GET /api/jobs/{id}/segments."""

    @extend_schema(
        operation_id="list_segments",
        summary="List a job's segments in their order",
        parameters=[
            OpenApiParameter("after", int, description="The last index of the page before."),
            OpenApiParameter("chapter", int),
            OpenApiParameter("state", str, enum=list(Segment.State.values)),
            PAGE,
        ],
        responses=SegmentList,
    )
    def get(self, request: Request, name: str) -> Response:
        known_query(request, "after", "chapter", "state", "limit")
        segments = own_job(request, name).segments.order_by("index")
        if (after := number_of(request, "after")) is not None:
            segments = segments.filter(index__gt=after)
        if (chapter := number_of(request, "chapter")) is not None:
            segments = segments.filter(chapter=chapter)
        if state := request.query_params.get("state"):
            if state not in Segment.State.values:
                raise InvalidField("state: There is no such state.", "state")
            segments = segments.filter(state=state)
        limit = page_size(request)
        page = list(segments[: limit + 1])
        shown = page[:limit]
        return Response(
            {
                "object": "list",
                "data": [segment_object(segment) for segment in shown],
                "last_index": shown[-1].index if shown else None,
                "has_more": len(page) > limit,
            }
        )


class SegmentView(JobFace):
    """GET and PATCH /api/jobs/{id}/segments/{index}."""

    @extend_schema(operation_id="show_segment", summary="Show a segment", responses=SegmentShape)
    def get(self, request: Request, name: str, index: int) -> Response:
        return Response(segment_object(own_segment(request, name, index)))

    @extend_schema(
        operation_id="say_segment_again",
        summary="Change a segment and have it, and nothing else, said again",
        request=SegmentChanges,
        responses={200: SegmentShape},
    )
    def patch(self, request: Request, name: str, index: int) -> Response:
        segment = own_segment(request, name, index)
        form = SegmentChanges(data=json_body(request))
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        if voice := changes.get("voice"):
            changes["voice"], _ = find_voice(voice, caller_of(request, "job"))
        segment.say_again(changes.pop("version", None), **changes)
        bell.ring(segment.job.public_id)
        return Response(segment_object(segment))


class SegmentAudioView(JobFace):
    """GET /api/jobs/{id}/segments/{index}/audio."""

    @extend_schema(
        operation_id="segment_audio",
        summary="Hear a segment, whole or in ranges",
        responses=_delivered("audio/flac"),
    )
    def get(self, request: Request, name: str, index: int) -> HttpResponseBase:
        segment = own_segment(request, name, index)
        if not segment.audio:
            raise NotFound
        named = f"{segment.job.public_id}-{index:05}.flac"
        return _file(request, segment.audio, "audio/flac", named)


class OutputsView(JobFace):
    """POST /api/jobs/{id}/outputs."""

    @extend_schema(
        operation_id="make_output",
        summary="Have a file made of a job",
        request=OutputForm,
        responses={200: OutputShape},
    )
    def post(self, request: Request, name: str) -> Response:
        job = own_job(request, name)
        form = OutputForm(data=json_body(request))
        form.is_valid(raise_exception=True)
        output = Output.want(job, **form.validated_data)
        bell.ring(job.public_id)
        return Response(output_object(output))


class OutputView(JobFace):
    """GET /api/jobs/{id}/outputs/{output}."""

    @extend_schema(
        operation_id="fetch_output",
        summary="Fetch a file, whole or in ranges",
        responses=_delivered(*_KINDS),
    )
    def get(self, request: Request, name: str, output: str) -> HttpResponseBase:
        job = own_job(request, name)
        found = job.outputs.filter(public_id=as_id(output)).exclude(file="").first()
        if found is None:
            raise NotFound
        return _file(request, found.file, *kind_and_name(job, found))


def _file(request: Request, key: str, media_type: str, name: str) -> HttpResponseBase:
    attached = content_disposition_header(True, name)
    assert attached is not None, "an attachment is always told"
    return deliver(request._request, key, content_type=media_type, disposition=attached)


def kind_and_name(job: Job, output: Output) -> tuple[str, str]:
    """The media type of a file, and what it is called on somebody's disk."""
    title = (job.title or job.public_id).replace("/", " ").replace("\\", " ")[:100]
    if output.split == Output.Split.CHAPTERS:
        return "application/zip", f"{title} ({output.format}).zip"
    return MEDIA_TYPES[output.format], f"{title}.{output.format}"


class CaptionsView(JobFace):
    """GET /api/jobs/{id}/captions."""

    @extend_schema(
        operation_id="captions",
        summary="Captions of the whole, or of one chapter",
        parameters=[
            OpenApiParameter("format", str, enum=sorted(_CAPTIONS)),
            OpenApiParameter("chapter", int),
        ],
        responses={(200, kind): OpenApiTypes.STR for _, kind in _CAPTIONS.values()},
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        known_query(request, "format", "chapter")
        asked = request.query_params.get("format", "srt")
        if asked not in _CAPTIONS:
            raise InvalidField("format: It must be srt or vtt.", "format")
        segments = own_job(request, name).segments.order_by("index")
        if (chapter := number_of(request, "chapter")) is not None:
            segments = segments.filter(chapter=chapter)
        spoken = list(segments)
        if not spoken or any(not segment.audio for segment in spoken):
            raise NotFound
        write, kind = _CAPTIONS[asked]
        return HttpResponse(write(list(cues_of(spoken, rate_of(list(spoken))))), content_type=kind)
