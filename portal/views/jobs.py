"""Long texts: listed, taken, looked at before they cost anything, watched, corrected, fetched.

What moves on the pages comes over ``/ws/progress/`` and the native API; the forms work without it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.seen import held
from portal.job_forms import JobForm, VoicesForm
from portal.job_words import ERRORS, STATES, error_words
from portal.views.pages import PersonRequest, page
from speech.documents import UnreadableDocument
from speech.errors import RequestError, describe
from speech.job_models import ACTIVE, Job, WrongState
from speech.job_parts import Output
from speech.longform import storage
from speech.longform.moving import move
from speech.longform.news import bell
from speech.longform.progress import counts_of, progress_of
from speech.longform.submission import find_cast, submit
from speech.requests import Caller
from voices.exceptions import ConsentRequired, UnknownVoice

PER_PAGE = 20
SEGMENTS_PER_PAGE = 50
_ID_LENGTH = 28


def caller_of(request: PersonRequest) -> Caller:
    """Who asks, as the path wants to know it."""
    request_id: str = request.id  # type: ignore[attr-defined]
    return Caller(request.account, "job", request_id, user_id=request.user.pk)


def own_job(request: PersonRequest, public_id: str) -> Job:
    """A job of the account they act for. Raises Http404 for any other."""
    if len(public_id) != _ID_LENGTH:
        raise Http404
    job = Job.objects.filter(account=request.account, public_id=public_id).first()
    if job is None:
        raise Http404
    job.account = request.account
    return job


@page()
def index(request: PersonRequest) -> HttpResponse:
    own = Job.objects.filter(account=request.account).order_by("-pk")
    found = Paginator(own, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "counts": counts_of(list(found)),
        "query": "",
        "states": STATES,
        "active": ACTIVE,
    }
    return render(request, "portal/jobs/index.html", context)


@page("GET", "POST")
def create(request: PersonRequest) -> HttpResponse:
    """Take a text; it is looked at as a draft before anything is said."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = JobForm(*sent, account=request.account)
    if form.is_valid():
        try:
            document = form.document()
            job = submit(document, form.job_request(), caller_of(request), start=False)
        except (UnreadableDocument, RequestError) as error:
            field = "file" if request.FILES else "text"
            form.add_error(field, error_words(describe(error).code, str(error)))
        else:
            return redirect("job-detail", job.public_id)
    limits = {"characters": settings.MAX_JOB_CHARACTERS}
    status = 422 if form.is_bound else 200
    return render(
        request, "portal/jobs/create.html", {"form": form, "limits": limits}, status=status
    )


@page()
def show(request: PersonRequest, public_id: str) -> HttpResponse:
    job = own_job(request, public_id)
    progress = progress_of(job)
    context: dict[str, Any] = {
        "job": job,
        "progress": progress,
        "states": STATES,
        "errors": ERRORS,
        "is_active": job.state in ACTIVE,
        "is_draft": job.state == Job.State.DRAFT,
        "formats": Output.FORMATS,
        "splits": Output.Split,
        "chapters": _chapters(job),
        "room": _room(job),
        "segments": _segments(request, job),
        "query": "",
    }
    if context["is_draft"]:
        context["form"] = VoicesForm(job=job, account=request.account)
    return render(request, "portal/jobs/show.html", context)


def _chapters(job: Job) -> list[dict[str, Any]]:
    counted = job.segments.order_by().values("chapter").annotate(n=Count("pk"))
    counts = {row["chapter"]: row["n"] for row in counted}
    return [
        {"title": chapter["title"], "segments": counts.get(number, 0)}
        for number, chapter in enumerate(job.chapters)
    ]


def _room(job: Job) -> int | None:
    """Characters that are left this month; None where there is no limit."""
    limit = job.account.monthly_characters
    if limit is None:
        return None
    counter = job.account.counter()
    return max(0, limit - counter.characters_used - counter.characters_reserved)


def _segments(request: PersonRequest, job: Job) -> Any:
    paged = Paginator(job.segments.order_by("index"), SEGMENTS_PER_PAGE)
    return paged.get_page(request.GET.get("page"))


@page("POST")
def cast(request: PersonRequest, public_id: str) -> HttpResponse:
    """Give a draft its voices, and start it where that was the button."""
    job = own_job(request, public_id)
    try:
        with held(job):
            form = VoicesForm(request.POST, job=job, account=request.account)
            if not form.is_valid():
                told = _("That could not be kept. Please look at the voices again.")
                messages.error(request, form.refusal or told)
                return redirect("job-detail", public_id)
            form.keep()
        if "start" in request.POST:
            job.start(find_cast(job, caller_of(request)))
    except (UnknownVoice, ConsentRequired):
        messages.error(request, _("One of the voices cannot be used. Please choose another."))
    except WrongState:
        messages.error(request, _("This cannot be done now."))
    bell.ring(public_id)
    return redirect("job-detail", public_id)


@page("POST")
def act(request: PersonRequest, public_id: str) -> HttpResponse:
    """Pause, resume, cancel, retry, put first or erase."""
    job = own_job(request, public_id)
    who = (request.user.pk, None)
    deeds: dict[str, Any] = {
        "pause": job.pause,
        "resume": lambda: job.resume(*who),
        "cancel": job.cancel,
        "retry": lambda: job.retry(*who),
        "first": lambda: move(job),
        "erase": lambda: storage.erase(job),
    }
    deed = deeds.get(request.POST.get("action", ""))
    if deed is None:
        raise Http404
    try:
        deed()
    except WrongState:
        messages.error(request, _("This cannot be done now."))
    bell.ring(public_id)
    if request.POST["action"] == "erase":
        messages.success(request, _("The text and all that was made of it are erased."))
        return redirect("job-list")
    return redirect("job-detail", public_id)


@page("POST")
def make(request: PersonRequest, public_id: str) -> HttpResponse:
    """Have a file made."""
    job = own_job(request, public_id)
    kind = request.POST.get("format", ""), request.POST.get("split", "")
    if kind[0] not in Output.FORMATS or kind[1] not in Output.Split.values:
        raise Http404
    with suppress(WrongState):  # it was cancelled: its page offers none
        Output.want(job, *kind)
    bell.ring(public_id)
    return redirect("job-detail", public_id)
