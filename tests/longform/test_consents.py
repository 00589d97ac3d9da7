"""A job speaks with somebody's voice as long as they agree: what was not said before is not said
after, piece by piece, and the engine never hears of it."""

from __future__ import annotations

import asyncio

import pytest
from django.utils import timezone

from accounts.audit import Actor
from speech.longform.holding import Holding
from speech.longform.work import say
from speech.models import UsageRecord
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from voices.models import VoiceConsent

ENDS = {
    "withdrawn": lambda consent: consent.withdraw(Actor.of_command("test")),
    "expired": lambda consent: VoiceConsent.objects.update(expires_at=timezone.now()),
    "another language": lambda consent: VoiceConsent.objects.update(languages=["fr"]),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_piece_is_not_said_when_they_no_longer_agree(
    start_engine, make_job, claim, voice, consent, end
):
    start_engine(also=["clone"])
    job = make_job(voice=voice.public_id)
    holding = Holding(claim())
    said, unsaid = job.segments.all()[:2]
    asyncio.run(say(holding, said.pk, voice.public_id))
    ENDS[end](consent)
    asyncio.run(say(holding, unsaid.pk, voice.public_id))
    said.refresh_from_db()
    unsaid.refresh_from_db()
    assert (said.state, unsaid.state) == ("finished", "failed")
    assert unsaid.error_code == "consent_required"
    assert UsageRecord.objects.count() == 1


ENGLISH = (
    "Chapter 1\n\nIt was late, and nobody spoke of what had happened in the house.\n\n"
    "Que será, será!\n\nC'est la vie.\n\nПривет, как ваши дела сегодня вечером?"
)


def test_a_few_words_of_another_language_are_what_they_stand_among(
    start_engine, make_job, claim, voice
):
    """Where no language is stated; another script is another language all the same."""
    start_engine(also=["clone"])
    VoiceConsent.objects.update(languages=["en"])
    job = make_job(ENGLISH, voice=voice.public_id)
    holding = Holding(claim())
    for segment in job.segments.all():
        asyncio.run(say(holding, segment.pk, voice.public_id))
    states = {segment.text: segment.state for segment in job.segments.all()}
    assert [state for text, state in states.items() if "Привет" not in text] == ["finished"] * 4
    assert states["Привет, как ваши дела сегодня вечером?"] == "failed"


def test_a_text_in_another_language_is_refused_in_short_sentences_as_well(
    start_engine, make_job, claim, voice
):
    start_engine(also=["clone"])
    VoiceConsent.objects.update(languages=["en"])
    french = "Il est tard et personne ne parle. " * 3 + "\n\nC'est la vie."
    job = make_job(french, voice=voice.public_id)
    holding = Holding(claim())
    for segment in job.segments.all():
        asyncio.run(say(holding, segment.pk, voice.public_id))
    assert {segment.error_code for segment in job.segments.all()} == {"consent_required"}
