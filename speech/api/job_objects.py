"""Jobs, segments and files as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from speech.job_models import Job
from speech.job_parts import Output, Segment
from speech.longform.progress import file_of, progress_of


def job_object(job: Job, counts: dict[str, int]) -> dict[str, Any]:
    """A job as one of a list: what stands in its row, and how many of its segments are done."""
    return {
        "id": job.public_id,
        "object": "job",
        "title": job.title,
        "state": job.state,
        "reason": job.reason,
        "message": job.message,
        "characters": job.characters,
        "segments": counts,
        "voice": job.voice,
        "created_at": _seconds(job.created_at),
        "started_at": _seconds(job.started_at),
        "finished_at": _seconds(job.finished_at),
    }


def detailed_job(job: Job) -> dict[str, Any]:
    """A job by itself."""
    counted = job.segments.order_by().values("chapter")
    sums: dict[int, tuple[int, int]] = {
        row["chapter"]: (row["count"], row["length"])
        for row in counted.annotate(count=Count("pk"), length=Sum("characters"))
    }
    chapters = [
        {
            "title": chapter["title"],
            "voice": chapter["voice"],
            "segments": sums.get(number, (0, 0))[0],
            "characters": sums.get(number, (0, 0))[1],
        }
        for number, chapter in enumerate(job.chapters)
    ]
    progress = progress_of(job)
    return job_object(job, progress["segments"]) | {
        "speakers": job.speakers,
        "chapters": chapters,
        "settings": job.settings,
        "seed": job.seed if job.seed is not None else job.drawn_seed,
        "webhook_url": job.webhook_url,
        "progress": progress,
    }


def segment_object(segment: Segment) -> dict[str, Any]:
    """A segment, with what is to be said and what was said."""
    return {
        "object": "job.segment",
        "index": segment.index,
        "chapter": segment.chapter,
        "speaker": segment.speaker,
        "text": segment.text,
        "characters": segment.characters,
        "voice": segment.voice,
        "seed": segment.seed,
        "state": segment.state,
        "version": segment.version,
        "error": {"code": segment.error_code, "message": segment.error}
        if segment.error_code
        else None,
        "has_audio": bool(segment.audio),
        "audio_seconds": round(segment.seconds, 3),
        "spoken_voice": segment.spoken_voice,
        "spoken_seed": segment.spoken_seed,
        "pause_ms": segment.pause_ms,
    }


def output_object(output: Output) -> dict[str, Any]:
    """A file of a job."""
    return file_of(output) | {"object": "job.output", "loudness": output.loudness}


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None
