"""How far a job is, from its rows alone: whoever asks, on whichever server, is told the same."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, FloatField, Max, Min, Q, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from speech.job_models import ACTIVE, Job, State
from speech.job_parts import Output, Segment

# The speed is that of the last two minutes: what was before says little of what is to come.
WINDOW = timedelta(minutes=2)
_SECONDS = Sum(
    Cast("samples", FloatField()) / F("sample_rate"), filter=Q(sample_rate__gt=0), default=0.0
)


_COUNTS: dict[str, Count] = {
    "total": Count("pk"),
    "finished": Count("pk", filter=Q(state=Segment.State.FINISHED)),
    "failed": Count("pk", filter=Q(state=Segment.State.FAILED)),
}


def counts_of(jobs: Collection[Job]) -> dict[int, dict[str, int]]:
    """How many segments each of these jobs has, by its key, and what became of them."""
    of_jobs = Segment.objects.filter(job__in=jobs).order_by().values_list("job")
    rows: Any = of_jobs.annotate(**_COUNTS)
    found = {job: dict(zip(_COUNTS, counts, strict=True)) for job, *counts in rows}
    return {job.pk: found.get(job.pk, dict.fromkeys(_COUNTS, 0)) for job in jobs}


def progress_of(job: Job) -> dict[str, Any]:
    """The numbers that a page or a client shows, and the first errors."""
    counts = job.segments.aggregate(
        **_COUNTS,
        written=Sum("characters", default=0),
        done=Sum("characters", filter=Q(state=Segment.State.FINISHED), default=0),
        left=Sum("characters", filter=Q(state=Segment.State.PENDING), default=0),
        audio=_SECONDS,
    )
    speed = _speed(job) if job.state == State.RUNNING else {}
    rate = speed.get("characters_per_second")
    return {
        "id": job.public_id,
        "object": "job.progress",
        "state": job.state,
        "reason": job.reason,
        "message": job.message,
        "segments": {name: counts[name] for name in _COUNTS},
        "characters": {"total": counts["written"], "done": counts["done"]},
        "audio_seconds": round(counts["audio"], 3),
        "rtf": speed.get("rtf"),
        "seconds_left": round(counts["left"] / rate, 1) if rate else None,
        "queue_place": _place(job),
        "playable": _playable(job),
        "errors": list(
            job.segments.filter(state=Segment.State.FAILED)
            .order_by("index")
            .values("index", code=F("error_code"), message=F("error"))[:20]
        ),
        "outputs": [file_of(output) for output in job.outputs.all()],
    }


def file_of(output: Output) -> dict[str, Any]:
    """How far a file is."""
    return {
        "id": output.public_id,
        "format": output.format,
        "split": output.split,
        "state": output.state,
        "size": output.size,
        "seconds": round(output.seconds, 3),
        "error": output.error,
    }


def _speed(job: Job) -> dict[str, float | None]:
    """Measured, from the moment at which this runner took the job, or from two minutes ago."""
    now = timezone.now()
    since = max(filter(None, (job.claimed_at, now - WINDOW)))
    made = job.segments.filter(finished_at__gte=since).aggregate(
        spoken=Sum("characters", default=0), audio=_SECONDS, last=Max("finished_at")
    )
    if not made["spoken"]:
        return {}
    wall = max(0.001, (made["last"] - since).total_seconds())
    return {
        "characters_per_second": made["spoken"] / wall,
        "rtf": round(wall / made["audio"], 4) if made["audio"] else None,
    }


def _place(job: Job) -> int | None:
    """How many go before it, and one; None when it does not wait."""
    if job.state not in (State.QUEUED, State.WAITING):
        return None
    before = Q(position__lt=job.position) | Q(position=job.position, pk__lt=job.pk)
    return Job.objects.filter(before, state__in=ACTIVE).count() + 1


def _playable(job: Job) -> int:
    """How many segments from the first one on are there to be heard without a gap."""
    gap = job.segments.filter(audio="").aggregate(first=Min("index"))["first"]
    return int(job.segments.count() if gap is None else gap)
