"""A text is said to its end in the voices that it began with, whatever is called so meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from accounts.models import Account
from speech.longform.holding import Holding
from speech.longform.work import say
from speech.models import UsageRecord
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from voices.models import Voice


def say_next(holding, segment, asked):
    asyncio.run(say(holding, segment.pk, asked))
    segment.refresh_from_db()
    return segment


@pytest.fixture
def theirs(make_voice, transactional_db):
    """Somebody else's, for everybody, of the same name."""
    other = make_voice(owner=Account.objects.create(name="other"), name="Anna")
    Voice.objects.filter(pk=other.pk).update(visibility="public")
    return other


def test_a_voice_that_is_gone_is_not_followed_by_another_of_its_name(
    start_engine, make_job, make_voice, claim, account, theirs
):
    start_engine(also=["clone"])
    mine = make_voice(name="Anna")
    job = make_job(voice="Anna")
    assert job.cast == {"Anna": mine.public_id}
    holding = Holding(claim())
    first, second = job.segments.all()[:2]
    assert say_next(holding, first, "Anna").spoken_voice == mine.public_id
    Voice.objects.filter(pk=mine.pk).update(state="erased")
    assert say_next(holding, second, "Anna").error_code == "unknown_voice"
    assert not UsageRecord.objects.filter(voice=theirs.public_id).exists()


def test_another_voice_of_the_account_is_no_other_for_a_text_that_has_begun(
    start_engine, make_job, claim, account
):
    start_engine()
    account.default_voice = "echo"
    account.save()
    job = make_job(voice="")
    holding = Holding(claim())
    first, second = job.segments.all()[:2]
    say_next(holding, first, "")
    account.default_voice = "onyx"
    account.save()
    say_next(holding, second, "")
    assert [first.spoken_voice, second.spoken_voice] == ["echo", "echo"]
