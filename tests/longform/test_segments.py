"""A segment is finished once, by whoever holds its job, as it stood when it was begun."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage

from speech.job_models import ChangedMeanwhile, Job, Unwanted, WrongState
from speech.job_parts import Output, Segment, WebhookDelivery
from speech.longform.endings import end_of

pytestmark = pytest.mark.django_db
SPOKEN = {"audio": "jobs/x/1.flac", "samples": 24_000, "sample_rate": 24_000}


@pytest.fixture
def held(job, claim):
    return claim()


def first_of(job):
    segment = job.segments.first()
    segment.job = job
    return segment


def test_a_text_becomes_segments_with_chapters_and_pauses(job):
    assert [(s.index, s.chapter, s.text, s.pause_ms) for s in job.segments.all()] == [
        (0, 0, "Chapter 1", 600),
        (1, 0, "It was late.", 250),
        (2, 0, "Nobody spoke.", 1500),
        (3, 1, "Chapter 2", 600),
        (4, 1, "Then it was morning.", 1500),
    ]
    assert job.characters == sum(s.characters for s in job.segments.all())


def test_it_is_finished_once(held):
    first_of(held).finish(**SPOKEN)
    with pytest.raises(Unwanted):
        first_of(held).finish(**SPOKEN)


def test_it_is_not_finished_by_whom_the_job_was_taken_from(held):
    segment = first_of(held)
    Job.objects.update(owner="other")
    with pytest.raises(Unwanted):
        segment.finish(**SPOKEN)


def test_what_was_changed_meanwhile_is_unwanted(held):
    segment = first_of(held)
    first_of(held).say_again(text="Another.")
    with pytest.raises(Unwanted):
        segment.finish(**SPOKEN)
    assert first_of(held).characters == len("Another.")
    costs = Job.objects.get().characters
    assert costs == sum(segment.characters for segment in held.segments.all())
    assert costs == held.characters - len("Chapter 1") + len("Another.")


def test_of_two_who_correct_it_at_once_the_second_is_told(held):
    seen = first_of(held).version
    first_of(held).say_again(seen, text="Another.")
    with pytest.raises(ChangedMeanwhile):
        first_of(held).say_again(seen, text="A third.")
    assert (first_of(held).text, first_of(held).version) == ("Another.", seen + 1)


def test_it_is_tried_three_times(held):
    assert first_of(held).fail("synthesis_failed", "x", again=True)
    assert first_of(held).fail("synthesis_failed", "x", again=True)
    assert not first_of(held).fail("synthesis_failed", "x", again=True)
    assert first_of(held).state == "failed"


def test_what_is_said_anew_is_another_take(held):
    seeds = [first_of(held).drawn_seed]
    first_of(held).fail("synthesis_failed", "x", again=True)
    seeds.append(first_of(held).drawn_seed)
    first_of(held).say_again()
    first_of(held).say_again()
    seeds.append(first_of(held).drawn_seed)
    assert seeds == [held.drawn_seed, held.drawn_seed + 1, held.drawn_seed + 2]


def test_a_job_with_failed_segments_has_failed_and_can_be_tried_again(held):
    held.segments.update(state="finished")
    first_of(held).say_again()
    first_of(held).fail("unknown_voice", "There is none.")
    assert held.complete()
    held.refresh_from_db()
    assert (held.state, held.reason) == ("failed", "segments_failed")
    held.retry(None, None)
    assert held.state == "queued"
    assert first_of(held).state == "pending"


def test_a_job_with_something_left_is_not_complete(held):
    held.segments.update(state="finished")
    Output.objects.create(job=held, format="mp3")
    assert not held.complete()
    Output.objects.update(state="ready")
    Segment.objects.filter(index=2).update(state="pending")
    assert not held.complete()
    Segment.objects.update(state="finished")
    assert held.complete()


def test_saying_one_again_has_the_files_made_anew(held):
    held.segments.update(state="finished")
    output = Output.objects.create(job=held, format="mp3", state="ready", file="jobs/x/whole.mp3")
    held.complete()
    first_of(held).say_again(seed=3)
    held.refresh_from_db()
    output.refresh_from_db()
    assert (held.state, output.state, output.file) == ("queued", "pending", "jobs/x/whole.mp3")


def test_a_cancelled_job_is_not_gone_on_with_for_one_segment_or_file(held):
    held.cancel()
    for again in (first_of(held).say_again, lambda: Output.want(held, "mp3", "whole")):
        with pytest.raises(WrongState):
            again()
    assert Job.objects.get().state == "cancelled"


def test_a_file_that_is_wanted_as_the_job_ends_is_made(held):
    held.segments.update(state="finished")
    seen_running = Job.objects.get()
    assert held.complete()
    Output.want(seen_running, "mp3", "whole")
    assert Job.objects.get().state == "queued"


def test_whoever_waits_hears_of_the_end_though_the_storage_is_down(held, monkeypatch):
    Job.objects.update(webhook_url="https://a.example/", webhook_secret="a secret of sixteen")
    held.segments.update(state="finished")

    def down(path):
        raise OSError("down")

    monkeypatch.setattr(default_storage, "listdir", down)
    assert end_of(held)
    assert '"type": "job.completed"' in WebhookDelivery.objects.get().body


@pytest.mark.parametrize(
    ("speaker", "own", "chapter", "expected"),
    [
        ("", "", "", "nova"),
        ("", "", "onyx", "onyx"),
        ("Anna", "", "onyx", "sage"),
        ("echo", "", "onyx", "echo"),
        ("Anna", "fable", "onyx", "fable"),
    ],
)
def test_its_voice_is_its_own_its_speakers_its_chapters_or_the_jobs(
    job, speaker, own, chapter, expected
):
    job.speakers, job.chapters[0]["voice"] = {"Anna": "sage", "echo": ""}, chapter
    segment = first_of(job)
    segment.speaker, segment.voice = speaker, own
    assert segment.voice_asked == expected
