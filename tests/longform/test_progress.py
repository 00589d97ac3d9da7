"""How far jobs are, counted from their rows."""

from __future__ import annotations

import pytest

from speech.api.job_objects import job_object
from speech.longform.progress import counts_of, progress_of

pytestmark = pytest.mark.django_db


def test_what_failed_is_part_of_the_whole(job):
    job.segments.filter(index=0).update(state="finished")
    job.segments.filter(index=1).update(state="failed")
    characters = progress_of(job)["characters"]
    assert characters == {"total": job.characters, "done": len("Chapter 1")}


def test_a_page_of_jobs_is_counted_at_once(make_job, django_assert_num_queries):
    jobs = [make_job() for _ in range(3)]
    jobs[0].segments.filter(index__lt=2).update(state="finished")
    jobs[1].segments.filter(index=0).update(state="failed")
    with django_assert_num_queries(1):
        counts = counts_of(jobs)
        listed = [job_object(job, counts[job.pk])["segments"] for job in jobs]
    assert listed == [
        {"total": 5, "finished": 2, "failed": 0},
        {"total": 5, "finished": 0, "failed": 1},
        {"total": 5, "finished": 0, "failed": 0},
    ]
