"""Jobs, their texts and their audio go some days after their end, and no file stays behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

from speech.job_models import Job
from speech.job_parts import ErasedFolder, Segment
from speech.longform import storage
from speech.longform.retention import erase_expired
from tests.longform.conftest import notes, storage_down, storage_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(job):
    key = storage.keep_segment(job, 0, notes(0.2), 24_000)
    job.segments.filter(index=0).update(audio=key)
    ended = timezone.now() - timedelta(days=8)
    Job.objects.update(state="completed", finished_at=ended)
    return key


def test_what_ended_long_ago_goes_with_its_files(old):
    assert default_storage.exists(old)
    assert erase_expired() == 1
    assert not Job.objects.exists()
    assert not Segment.objects.exists()
    assert not default_storage.exists(old)


@pytest.mark.parametrize("change", [{"state": "paused"}, {"finished_at": timezone.now()}])
def test_what_has_not_ended_or_only_just_stays(old, change):
    Job.objects.update(**change)
    assert erase_expired() == 0


def test_for_ever_is_possible(old, settings):
    settings.JOB_DAYS = 0
    assert erase_expired() == 0


def test_what_is_kept_is_read_back_as_it_was(job):
    kept = notes(0.3)
    samples, rate = storage.read_segment(storage.keep_segment(job, 3, kept, 24_000))
    assert rate == 24_000
    assert abs(samples - kept).max() <= 1 / 32_768


def test_what_nobody_names_is_swept_and_what_others_go_on_in_stays(job):
    named, take, lost = (storage.keep_segment(job, n, notes(0.1), 24_000) for n in range(3))
    job.segments.filter(index=0).update(audio=named)
    job.keep_take("nova", take, "It was late.")
    foreign = default_storage.save("jobs/job_other/x.flac", ContentFile(b"x"))
    storage.sweep(job)
    assert [default_storage.exists(key) for key in (named, take, lost, foreign)] == [
        True, True, False, True,
    ]  # fmt: skip


def time_passes():
    ErasedFolder.objects.update(look_at=timezone.now() - timedelta(seconds=1))


def test_what_is_erased_while_the_storage_is_down_is_gone_and_its_files_follow(job):
    named = storage.keep_segment(job, 0, notes(0.1), 24_000)
    nobodys = storage.keep_segment(job, 1, notes(0.1), 24_000)
    job.segments.filter(index=0).update(audio=named)
    with storage_down():
        storage.erase(job)
        assert not Job.objects.exists()
        time_passes()
        storage.finish_erasing()
    time_passes()
    storage.finish_erasing()
    assert not default_storage.exists(named)
    assert not default_storage.exists(nobodys)
    assert not ErasedFolder.objects.exists()


def test_what_a_runner_stored_after_the_erasing_goes_too(job):
    storage.erase(job)
    late = storage.keep_segment(job, 0, notes(0.1), 24_000)
    storage.finish_erasing()
    assert default_storage.exists(late), "whoever stored it may still be at it"
    time_passes()
    storage.finish_erasing()
    assert not default_storage.exists(late)


def test_a_folder_that_cannot_be_emptied_keeps_no_other_from_it(make_job):
    stubborn, other = make_job(), make_job()
    keys = [storage.keep_segment(job, 0, notes(0.1), 24_000) for job in (stubborn, other)]
    with storage_down():
        storage.erase(stubborn)
        storage.erase(other)

    class Stubborn(FileSystemStorage):
        def delete(self, name):
            if name == keys[0]:
                raise OSError(13, "Permission denied")
            super().delete(name)

    time_passes()
    with storage_of(Stubborn(default_storage.location)):
        storage.finish_erasing()
    assert [default_storage.exists(key) for key in keys] == [True, False]
