"""Pages of long texts: taken, looked at before they cost, steered, erased; nobody else's to see."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from speech.job_models import Job
from speech.job_parts import Output
from tests.documents.packed import epub
from tests.forms import seen_on, send
from tests.longform.conftest import storage_down

pytestmark = pytest.mark.django_db
TEXT = "Chapter 1\n\nIt was late.\n\n[voice: Anna]\nHello!\n\nChapter 2\n\nMorning."


@pytest.fixture
def draft(at_alice):
    response = at_alice.post(
        reverse("job-create"), {"text": TEXT, "voice": "nova", "output": "mp3"}
    )
    assert response.status_code == 302, response.context["form"].errors
    return Job.objects.get()


def at(job, page="job-detail"):
    return reverse(page, args=[job.public_id])


def test_the_list_invites_and_then_lists(at_alice):
    assert "Begin" in at_alice.get("/jobs/").content.decode()
    at_alice.post(reverse("job-create"), {"text": "Hello.", "title": "<b>Mine</b>"})
    assert "&lt;b&gt;Mine" in at_alice.get("/jobs/").content.decode()
    at_alice.post(reverse("job-create"), {"text": "It was a dark and stormy night."})
    page = at_alice.get("/jobs/").content.decode()
    assert ">It was a dark and stormy night.<" in page
    assert "<span data-count>0</span>/1" in page


def test_a_text_is_looked_at_before_it_costs_anything(at_alice, draft):
    page = at_alice.get(at(draft)).content.decode()
    assert draft.state == "draft"
    assert f'id="cost">{draft.characters}<' in page
    assert "Anna" in page
    assert "Chapter 2" in page


def test_a_file_is_read(at_alice):
    book = SimpleUploadedFile("x.epub", epub("<h1>One</h1><p>Words.</p>"))
    assert at_alice.post(reverse("job-create"), {"file": book}).status_code == 302
    assert Job.objects.get().title == "A Book"


@pytest.mark.parametrize(
    "sent", [{}, {"text": " \n"}, {"text": "..."}, {"text": "x", "voice": "nobody"}, {"speed": 99}]
)
def test_what_cannot_be_said_is_said_so(at_alice, sent):
    response = at_alice.post(reverse("job-create"), sent)
    assert response.status_code == 422
    assert b"errorlist" in response.content
    assert not Job.objects.exists()


def test_a_text_and_a_file_are_one_too_many(at_alice):
    file = SimpleUploadedFile("x.txt", b"From a file.")
    response = at_alice.post(reverse("job-create"), {"text": "Pasted.", "file": file})
    assert response.status_code == 422
    assert "not both" in response.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"PK\x03\x04"])
def test_a_broken_file_is_said_to_be_broken(at_alice, data):
    file = SimpleUploadedFile("x.pdf", data)
    response = at_alice.post(reverse("job-create"), {"file": file})
    assert "cannot be read" in response.content.decode()


def test_voices_are_given_and_it_starts(at_alice, draft):
    given = {"voice": "echo", "speaker-0": "sage", "chapter-1": "onyx", "start": "1"}
    assert send(at_alice, at(draft), given, at(draft, "job-cast")).status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.voice, draft.speakers) == ("queued", "echo", {"Anna": "sage"})
    assert [chapter["voice"] for chapter in draft.chapters] == ["", "onyx"]


def test_what_was_started_meanwhile_is_not_changed(at_alice, draft):
    given = {
        "voice": "echo",
        "start": "1",
        "seen": seen_on(at_alice, at(draft), at(draft, "job-cast")),
    }
    draft.start()
    response = at_alice.post(at(draft, "job-cast"), given, follow=True)
    assert "cannot be done now" in response.content.decode()
    draft.refresh_from_db()
    assert draft.voice == "nova"


def test_a_speaker_without_a_voice_does_not_start(at_alice, draft):
    response = send(
        at_alice, at(draft), {"voice": "nova", "start": "1"}, at(draft, "job-cast"), follow=True
    )
    assert "cannot be used" in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_it_is_paused_resumed_cancelled_and_erased(at_alice, draft):
    draft.start()
    for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        at_alice.post(at(draft, "job-act"), {"action": action})
        draft.refresh_from_db()
        assert draft.state == state
    response = at_alice.post(at(draft, "job-act"), {"action": "pause"}, follow=True)
    assert "cannot be done now" in response.content.decode()
    assert at_alice.post(at(draft, "job-act"), {"action": "dance"}).status_code == 404
    at_alice.post(at(draft, "job-act"), {"action": "erase"})
    assert not Job.objects.exists()


def test_it_is_erased_though_the_storage_is_down(at_alice, draft):
    with storage_down():
        response = at_alice.post(at(draft, "job-act"), {"action": "erase"}, follow=True)
    assert "are erased" in response.content.decode()
    assert not Job.objects.exists()


def test_what_is_heard_without_a_gap_is_told_to_the_page(at_alice, draft):
    draft.start()
    draft.segments.filter(index__in=(0, 2)).update(state="finished", audio="jobs/x/1.flac")
    assert 'data-playable="1"' in at_alice.get(at(draft)).content.decode()


def test_a_further_file_is_asked_for(at_alice, draft):
    Job.objects.update(state="completed")
    at_alice.post(at(draft, "job-make"), {"format": "m4b", "split": "whole"})
    draft.refresh_from_db()
    assert draft.state == "queued"
    assert set(Output.objects.values_list("format", flat=True)) == {"mp3", "m4b"}
    assert at_alice.post(at(draft, "job-make"), {"format": "exe", "split": "x"}).status_code == 404


PAGES = ["job-detail", "job-cast", "job-act", "job-make"]


@pytest.mark.parametrize("name", PAGES)
def test_a_strangers_page_is_one_that_is_not_there(at_charlie, draft, name):
    ask = at_charlie.get if name == "job-detail" else at_charlie.post
    assert ask(at(draft, name)).status_code == 404
    assert b"Hello" not in at_charlie.get("/jobs/").content


@pytest.mark.parametrize("page", ["-1", "1e9", "NaN", "9" * 30, "²"])
def test_a_page_that_is_none_is_the_first_or_the_last(at_alice, draft, page):
    assert at_alice.get("/jobs/", {"page": page}).status_code == 200
    assert at_alice.get(at(draft), {"page": page}).status_code == 200


@pytest.mark.parametrize("name", ["x", "job_" + "x" * 24, "job_" + "0" * 500])
def test_what_can_be_no_id_is_not_found(at_alice, name):
    assert at_alice.get(f"/jobs/{name}/").status_code == 404


def test_a_member_sees_what_is_the_accounts(at_bob, draft, account):
    assert at_bob.get(at(draft)).status_code == 404
    at_bob.post("/account/choose/", {"account": account.pk})
    assert at_bob.get(at(draft)).status_code == 200
