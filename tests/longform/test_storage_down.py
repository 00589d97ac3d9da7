"""Long texts while the storage fails or is slow: what was begun in a voice waits until that can be
heard again, files wait until they can be kept, and no lease is lost."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command

from speech.documents import read_text
from speech.job_models import Job
from speech.job_parts import Output, Segment
from speech.longform import storage
from speech.longform.runner import JobRunner
from speech.longform.submission import JobRequest, submit
from speech.requests import Caller
from tests.longform.conftest import notes, storage_down, storage_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SEGMENTS = 30
TEXT = "\n\n".join(f"This is sentence number {number}." for number in range(SEGMENTS))


@pytest.fixture
def engine(start_engine):
    """One that clones, so that a voice that is nobody's is drawn."""
    start_engine(speed=100, also=["clone", "design"])


@pytest.fixture
def job(account, engine):
    return submit(
        read_text(TEXT, 10_000), JobRequest(voice="default"), Caller(account, "job", "test")
    )


def finished():
    return Segment.objects.filter(state="finished").count()


async def run(seconds=60.0, until=lambda: False, **options):
    """A runner at work, until something is so."""
    async with JobRunner(pause=0.1, **options).running():
        end = time.monotonic() + seconds
        while time.monotonic() < end and not await sync_to_async(until)():
            await asyncio.sleep(0.02)


class Unreadable(FileSystemStorage):
    """Takes everything and gives nothing."""

    def _open(self, name, mode="rb"):
        raise OSError(5, "Input/output error")


def test_nothing_is_said_in_another_voice_while_the_first_cannot_be_heard(job, settings):
    settings.JOB_SEGMENTS = 2
    asyncio.run(run(until=lambda: finished() >= 1))
    before, takes = finished(), Job.objects.get().takes
    assert takes and before < SEGMENTS
    with storage_of(Unreadable(default_storage.location)):
        asyncio.run(run(1.5))
    assert finished() == before
    asyncio.run(run(until=lambda: finished() == SEGMENTS))
    assert finished() == SEGMENTS
    assert Job.objects.get().takes == takes


def test_where_the_first_is_lost_for_good_others_go_on_in_the_next(job, settings):
    settings.JOB_SEGMENTS = 2
    asyncio.run(run(until=lambda: finished() >= 1 and Job.objects.get().takes))
    (lost,) = Job.objects.get().takes.values()
    default_storage.delete(lost["audio"])
    asyncio.run(run(until=lambda: finished() == SEGMENTS))
    (take,) = Job.objects.get().takes.values()
    assert default_storage.exists(take["audio"])


def test_a_slow_storage_costs_no_lease(make_job, start_engine, settings):
    settings.JOB_SEGMENTS = 8
    start_engine(speed=100)
    make_job(TEXT)
    stolen = []

    class Slow(FileSystemStorage):
        def _save(self, name, content):
            time.sleep(6)
            return super()._save(name, content)

    def look():
        stolen.extend(Job.objects.filter(state="running").claimable())
        return finished() >= 1

    with storage_of(Slow(default_storage.location)):
        asyncio.run(run(until=look, lease_seconds=3))
    assert finished() >= 1
    assert not stolen


def test_a_file_that_cannot_be_kept_now_is_made_later(make_job):
    job = make_job(outputs=(("wav", "whole"),))
    Job.objects.claim("me", timedelta(seconds=30))
    for segment in job.segments.all():
        key = storage.keep_segment(job, segment.index, notes(0.2), 24_000)
        job.segments.filter(pk=segment.pk).update(
            audio=key, samples=4800, sample_rate=24_000, state="finished"
        )
    with storage_down(), pytest.raises(CommandError) as failure:
        call_command("makeoutputs", job.public_id, owner="me")
    assert failure.value.returncode == 75
    call_command("makeoutputs", job.public_id, owner="me")
    assert Output.objects.get().state == "ready"
