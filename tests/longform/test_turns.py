"""Whose segment comes next: accounts take turns, and each account's jobs keep their order."""

from __future__ import annotations

import pytest

from accounts.models import Account
from speech.longform.holding import Holding
from speech.longform.runner import JobRunner

pytestmark = pytest.mark.django_db


def holding_of(job):
    holding = Holding(job)
    holding.fill((segment.pk, "nova") for segment in job.segments.all())
    return holding


def begun(runner, count):
    """The jobs whose segments are begun next, while none of them ends."""
    found = []
    for _ in range(count):
        holding = runner._next()
        runner._saying[object()] = (holding, *holding.take_next())
        found.append(holding.job)
    return found


@pytest.fixture
def runner():
    return JobRunner()


def test_accounts_take_turns_however_many_jobs_one_has(runner, make_job):
    mine = [make_job() for _ in range(3)]
    theirs = make_job(owner=Account.objects.create(name="other"))
    runner._holdings = {job.pk: holding_of(job) for job in (*mine, theirs)}
    accounts = [job.account_id for job in begun(runner, 8)]
    assert accounts.count(theirs.account_id) == 4
    assert all(len(set(accounts[start : start + 2])) == 2 for start in range(0, 8, 2))


def test_who_has_most_under_way_waits_for_the_others(runner, make_job):
    mine = make_job()
    runner._holdings = {mine.pk: holding_of(mine)}
    begun(runner, 3)
    theirs = make_job(owner=Account.objects.create(name="other"))
    runner._holdings[theirs.pk] = holding_of(theirs)
    assert begun(runner, 3) == [theirs] * 3


def test_alone_an_account_has_its_jobs_said_in_their_order(runner, make_job):
    first, second = make_job(), make_job()
    runner._holdings = {job.pk: holding_of(job) for job in (second, first)}
    assert begun(runner, 6) == [first] * 5 + [second]
