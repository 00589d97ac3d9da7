"""Jobs wait in line, belong to one runner at a time, and do what people say."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import Account
from speech.job_models import Job, WrongState
from speech.longform.moving import move
from speech.longform.progress import progress_of
from speech.longform.submission import TooManyJobs

pytestmark = pytest.mark.django_db
HALF_A_MINUTE = timedelta(seconds=30)


def test_one_runner_gets_a_job_and_the_next_one_none(job, claim):
    assert claim("first") == job
    assert claim("second") is None


def test_the_oldest_goes_first_unless_its_account_is_busy(make_job, claim):
    first, second = make_job(), make_job()
    other = make_job(owner=Account.objects.create(name="other"))
    assert claim("a") == first
    assert claim("b", busy={first.account_id}) == other
    assert claim("c", busy={first.account_id}) == second


def test_an_expired_lease_is_taken_over_and_its_holder_can_do_nothing_more(job, claim):
    held = claim("dead", seconds=-1)
    assert claim("heir") == job
    assert not held.release()
    assert not held.complete()
    assert Job.objects.renew(["dead"], HALF_A_MINUTE) == set()


def test_a_paused_job_is_nobodys(job, claim):
    held = claim()
    job.pause()
    assert Job.objects.renew([held.owner], HALF_A_MINUTE) == set()
    assert claim("other") is None
    job.resume(None, None)
    assert claim("other") == job


def test_a_job_that_waits_is_not_claimed_before_its_time(job, claim):
    claim().wait("insufficient_quota", "Used up.", 60)
    job.refresh_from_db()
    assert (job.state, job.reason) == ("waiting", "insufficient_quota")
    assert claim() is None
    job.resume(None, None)
    assert claim() == job


def test_it_is_moved_before_others_of_its_account(make_job, claim):
    first, second, third = make_job(), make_job(), make_job()
    move(third, before=second)
    move(second)
    assert [claim(str(number)) for number in range(3)] == [second, first, third]
    with pytest.raises(WrongState):
        move(second)
    with pytest.raises(WrongState):
        move(third, before=make_job(start=False))


def test_it_is_moved_as_often_as_one_likes(make_job, claim):
    jobs = [make_job() for _ in range(3)]
    for _ in range(60):  # halving the room between two is over after fifty times
        move(jobs[0], before=jobs[2])
        move(jobs[1], before=jobs[2])
    assert [claim(str(number)) for number in range(3)] == jobs


def test_jobs_that_were_started_at_once_are_moved_too(make_job, claim):
    first, second, third = make_job(), make_job(), make_job()
    Job.objects.update(position=5)
    move(third)
    move(first, before=second)
    assert [claim(str(number)) for number in range(3)] == [third, first, second]


def test_nobody_gets_before_others_by_moving_their_own(make_job, claim):
    other = Account.objects.create(name="other")
    theirs, first, second = make_job(owner=other), make_job(), make_job()
    for job in (second, first, second):
        move(job)
    assert progress_of(theirs)["queue_place"] == 1
    assert [claim(str(number)) for number in range(3)] == [theirs, second, first]


def test_a_draft_waits_for_its_start(make_job, claim):
    draft = make_job(start=False)
    assert claim() is None
    draft.start()
    assert claim() == draft
    with pytest.raises(WrongState):
        draft.start()


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_what_has_ended_is_not_steered(job, verb):
    Job.objects.update(state="completed")
    with pytest.raises(WrongState):
        getattr(job, verb)()


def test_an_account_has_so_many_jobs_under_way(make_job, settings):
    settings.JOBS_PER_ACCOUNT = 2
    make_job()
    make_job(start=False)
    with pytest.raises(TooManyJobs):
        make_job()
    Job.objects.update(state="completed")
    make_job()


def test_an_account_that_holds_none_is_looked_for(make_job, claim):
    first = make_job()
    make_job()
    busy = {first.account_id}
    assert claim("a") == first
    assert Job.objects.claim("b", HALF_A_MINUTE, busy, others=True) is None
    other = make_job(owner=Account.objects.create(name="other"))
    assert Job.objects.claim("c", HALF_A_MINUTE, busy, others=True) == other


def test_a_draft_is_changed_and_nothing_that_was_started_meanwhile(make_job):
    draft = make_job(start=False)
    seen = Job.objects.get()
    draft.change(voice="echo")
    assert Job.objects.get().voice == "echo"
    draft.start()
    with pytest.raises(WrongState):
        seen.change(voice="onyx")
    assert Job.objects.get().voice == "echo"


def test_a_text_without_a_title_is_called_by_its_first_words(make_job):
    assert make_job("It was late. Nobody spoke.").title == "It was late. Nobody spoke."
    assert make_job("It was late.", title="A night").title == "A night"
    long = make_job("天色已晚，没有人说话。" * 20).title
    assert len(long) == 60
    assert long.endswith("…")


def test_a_text_from_before_that_is_called_so_too(make_job):
    old, named = make_job("It was late. Nobody spoke."), make_job("It was late.", title="A night")
    Job.objects.filter(pk=old.pk).update(title="")
    import_module("speech.migrations.0010_job_titles").name_untitled(apps, None)
    titles = dict(Job.objects.values_list("pk", "title"))
    assert titles == {old.pk: "It was late. Nobody spoke.", named.pk: "A night"}
