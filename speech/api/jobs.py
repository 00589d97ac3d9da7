"""Long texts natively: taken, watched, steered, corrected segment by segment, fetched, erased.

With a key of scope ``jobs`` or a browser session; a job is its account's alone.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import HasScope
from speech.api.consents import AFTER, PAGE, page_size
from speech.api.job_forms import ActionForm, JobChanges, JobForm, JobOptions
from speech.api.job_objects import detailed_job, job_object
from speech.api.job_shapes import (
    DetailedJobShape,
    JobErased,
    JobList,
    JobUploadShape,
    NewJobShape,
)
from speech.api.native import NativeView
from speech.api.parsers import json_body, parse_object
from speech.api.requests import account_of, as_id, caller_of
from speech.api.uploads import Form
from speech.documents import (
    Document,
    DocumentTooLarge,
    UnreadableDocument,
    read_document,
    read_text,
)
from speech.errors import InvalidField, RequestError
from speech.job_models import Job, State
from speech.longform import storage
from speech.longform.moving import move
from speech.longform.news import bell
from speech.longform.progress import counts_of
from speech.longform.submission import check_names, find_cast, first_words, submit

_LARGEST_FILE = 10 * 2**20
_LONGEST_OPTIONS = 100_000
_TAKEN: Any = {"application/json": JobForm, "multipart/form-data": JobUploadShape}
STATES = OpenApiParameter("state", str, enum=list(State.values))


class JobFace(NativeView):
    """What all of them share."""

    permission_classes = [HasScope("jobs")]


def own_job(request: Request, public_id: str) -> Job:
    """A job of the caller's account. Raises NotFound for any other, missing or foreign."""
    own = Job.objects.select_related("account", "key").filter(account=account_of(request))
    job = own.filter(public_id=as_id(public_id)).first()
    if job is None:
        raise NotFound
    return job


def known_query(request: Request, *names: str) -> None:
    """Refuse what else stands in the query."""
    for name in request.query_params:
        if name not in names:
            raise InvalidField("query: There is no such parameter.", "query")


class JobsView(JobFace):
    """GET and POST /api/jobs."""

    parser_classes = [JSONParser, MultiPartParser]  # looked at where a browser's token is

    @extend_schema(
        operation_id="list_jobs",
        summary="List jobs, newest first",
        parameters=[STATES, AFTER, PAGE],
        responses=JobList,
    )
    def get(self, request: Request) -> Response:
        known_query(request, "state", "after", "limit")
        own = jobs = Job.objects.filter(account=account_of(request)).order_by("-pk")
        if state := request.query_params.get("state"):
            if state not in State.values:
                raise InvalidField("state: There is no such state.", "state")
            jobs = jobs.filter(state=state)
        if after := request.query_params.get("after"):
            last = own.filter(public_id=after[:40].replace("\x00", "")).first()
            if last is None:
                raise InvalidField("after: There is no such job.", "after")
            jobs = jobs.filter(pk__lt=last.pk)
        limit = page_size(request)
        page = list(jobs[: limit + 1])
        shown = page[:limit]
        counts = counts_of(shown)
        return Response(
            {
                "object": "list",
                "data": [job_object(job, counts[job.pk]) for job in shown],
                "last_id": shown[-1].public_id if shown else None,
                "has_more": len(page) > limit,
            }
        )

    @extend_schema(
        operation_id="create_job",
        summary="Have a long text said",
        request=_TAKEN,
        responses={200: NewJobShape},
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request, "job")
        options, document = _taken(request)
        secret = f"whsec_{secrets.token_urlsafe(32)}"
        asked = options.job_request(secret)
        job = submit(document, asked, caller, start=options.validated_data["start"])
        bell.ring(job.public_id)
        shown = detailed_job(job)
        if job.webhook_secret == secret:
            shown["webhook_secret"] = secret
        return Response(shown)


def _taken(request: Request) -> tuple[JobOptions, Document]:
    """What is asked for, and the text: pasted in JSON, or a file in a form."""
    limit = settings.MAX_JOB_CHARACTERS
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        form = JobForm(data=json_body(request))
        form.is_valid(raise_exception=True)
        given = form.validated_data
        return form, _read(given["input"], limit, given["kind"])
    sent = Form(request, {"file", "options"})
    upload = sent.upload("file")
    if (upload.size or 0) > _LARGEST_FILE:
        raise DocumentTooLarge(f"A file may have at most {_LARGEST_FILE // 2**20} MiB.")
    written = sent.text("options", longest=_LONGEST_OPTIONS)
    options = JobOptions(data=_parsed(written) if written else {})
    options.is_valid(raise_exception=True)
    return options, read_document(upload.read(), cast(str, upload.name) or "", limit)


def _read(text: str, limit: int, kind: str) -> Document:
    try:
        return read_text(text, limit, kind)
    except UnreadableDocument as unreadable:
        unreadable.param = "input"
        raise


def _parsed(options: str) -> dict[str, Any]:
    try:
        return parse_object(options.encode())
    except InvalidField:
        raise
    except RequestError as error:
        told = "options: It must be a JSON object."
        raise InvalidField(told, "options", error.code) from None


def _changes(job: Job, form: JobChanges) -> dict[str, Any]:
    """What else than its title is to change of a draft."""
    given = form.validated_data
    speakers: dict[str, str] = given.get("speakers", {})
    voices: dict[int, str] = given.get("chapter_voices", {})
    check_names(speakers, voices, job.speakers, len(job.chapters))
    return {name: given[name] for name in ("voice", "seed") if name in given} | {
        "settings": job.settings | form.kept_settings,
        "speakers": {name: speakers.get(name, voice) for name, voice in job.speakers.items()},
        "chapters": [
            chapter | {"voice": voices.get(number, chapter["voice"])}
            for number, chapter in enumerate(job.chapters)
        ],
    }


class JobView(JobFace):
    """GET, PATCH and DELETE /api/jobs/{id}."""

    @extend_schema(operation_id="show_job", summary="Show a job", responses=DetailedJobShape)
    def get(self, request: Request, name: str) -> Response:
        return Response(detailed_job(own_job(request, name)))

    @extend_schema(
        operation_id="change_job",
        summary="Rename a job, or change a draft",
        request=JobChanges,
        responses={200: DetailedJobShape},
    )
    def patch(self, request: Request, name: str) -> Response:
        job = own_job(request, name)
        form = JobChanges(data=json_body(request))
        form.is_valid(raise_exception=True)
        given = form.validated_data
        if set(given) - {"title"}:
            job.change(**_changes(job, form))
        if "title" in given:
            texts = job.segments.order_by("index").values_list("text", flat=True)
            job.title = given["title"] or first_words(texts)
            job.save(update_fields=["title"])
        return Response(detailed_job(job))

    @extend_schema(
        operation_id="erase_job",
        summary="Erase a job with all that was made of it",
        request=None,
        responses={200: JobErased},
    )
    def delete(self, request: Request, name: str) -> Response:
        job = own_job(request, name)
        public_id = job.public_id
        storage.erase(job)
        bell.ring(public_id)
        return Response({"id": public_id, "object": "job", "deleted": True})


class JobActionView(JobFace):
    """POST /api/jobs/{id}/action."""

    @extend_schema(
        operation_id="steer_job",
        summary="Start, pause, resume, cancel, retry or move a job",
        request=ActionForm,
        responses={200: DetailedJobShape},
    )
    def post(self, request: Request, name: str) -> Response:
        job = own_job(request, name)
        form = ActionForm(data=json_body(request))
        form.is_valid(raise_exception=True)
        act(request, job, form.validated_data["action"], form.validated_data.get("before"))
        bell.ring(job.public_id)
        return Response(detailed_job(job))


def act(request: Request, job: Job, action: str, before: str | None = None) -> None:
    """Do what somebody asked for; raises WrongState where it cannot be done now."""
    caller = caller_of(request, "job")
    match action:
        case "start":
            job.start(find_cast(job, caller))
        case "pause":
            job.pause()
        case "resume":
            job.resume(caller.user_id, caller.key)
        case "cancel":
            job.cancel()
        case "retry":
            job.retry(caller.user_id, caller.key)
        case "move":
            move(job, own_job(request, before) if before else None)
