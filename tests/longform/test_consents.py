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
