"""How far jobs are, counted from their rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from speech.api.job_objects import job_object
from speech.job_models import Job
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


def test_time_left_and_factor_are_those_that_were_measured(job, claim):
    """Since this runner took it: what another one did before says nothing of this one."""
    now = timezone.now()
    claim()
    Job.objects.update(claimed_at=now - timedelta(seconds=30))
    spoken = {"state": "finished", "samples": 24_000 * 2, "sample_rate": 24_000}
    for index, ago in ((0, 50), (1, 25), (2, 10)):
        finished = now - timedelta(seconds=ago)
        job.segments.filter(index=index).update(finished_at=finished, **spoken)
    told = progress_of(Job.objects.get())
    per_second = (len("It was late.") + len("Nobody spoke.")) / 20
    left = len("Chapter 2") + len("Then it was morning.")
    assert told["seconds_left"] == pytest.approx(left / per_second, abs=0.1)
    assert told["rtf"] == pytest.approx(20 / 4)
    assert told["audio_seconds"] == 6


def test_what_was_not_measured_is_not_guessed(job, claim):
    assert progress_of(Job.objects.get())["seconds_left"] is None
    claim()
    told = progress_of(Job.objects.get())
    assert (told["seconds_left"], told["rtf"], told["queue_place"]) == (None, None, None)


def test_its_place_counts_everybody_who_goes_before_it(make_job):
    jobs = [make_job() for _ in range(3)]
    jobs[0].pause()
    assert [progress_of(job)["queue_place"] for job in jobs] == [None, 1, 2]
