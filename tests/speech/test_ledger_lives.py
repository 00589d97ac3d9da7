"""A record's life: its lease, a cancel, a revoked key, a stop, the sweeper."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.audit import Actor
from accounts.exceptions import InvalidKey, NoMember
from accounts.models import Membership
from speech.ledger import Ledger
from speech.models import UsageRecord
from tests.speech.bookkeeping import DONE, UNWRITABLE, read, record, settle, streams, swept
from tests.voices.conftest import prepared
from voices.exceptions import VoiceSilenced
from voices.models import Origin, Voice, VoiceConsent

ACTOR = Actor.of_command("test")
pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_caller_that_is_cancelled_leaves_no_open_record(ledger, entry):
    for moment in (0.0, 0.0005, 0.001, 0.002, 0.005):
        opening = asyncio.create_task(ledger.open(entry))
        await asyncio.sleep(moment)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        if not opening.cancelled():
            await settle(ledger, opening.result(), DONE)
    await asyncio.to_thread(ledger._writer.submit(lambda: None).result)
    await asyncio.to_thread(ledger._writer.submit(lambda: None).result)
    assert await read(UsageRecord.objects.filter(outcome="open").count) == 0
    assert await streams() == 0


async def test_leases_of_the_living_are_renewed(transactional_db, entry):
    ledger = Ledger(lease_seconds=0.5, renew_seconds=0.1, sweep_seconds=0.1)
    ledger.start()
    try:
        record_id = await ledger.open(entry)
        await asyncio.sleep(1.2)
        assert (await record(record_id)).outcome == "open"
    finally:
        await asyncio.to_thread(ledger.stop)


class Heard(threading.Event):
    """Remembers what it was called with."""

    def __call__(self, reason):
        self.reason = reason
        self.set()


async def test_a_stream_hears_that_its_key_was_revoked(ledger, entry, key):
    heard = Heard()
    await ledger.open(entry, heard)
    await read(key.revoke)
    assert await asyncio.to_thread(heard.wait, 2)
    assert isinstance(heard.reason, InvalidKey)


async def test_a_stream_hears_that_its_account_was_closed(ledger, entry, account):
    heard = Heard()
    await ledger.open(replace(entry, key_id=None), heard)
    await asyncio.sleep(0.3)
    assert not heard.is_set()
    account.is_active = False
    await read(account.save)
    assert await asyncio.to_thread(heard.wait, 2)
    assert isinstance(heard.reason, InvalidKey)


@pytest.mark.parametrize(
    "end",
    [
        lambda bob: Membership.objects.filter(user=bob).delete(),
        lambda bob: User.objects.filter(pk=bob.pk).update(is_active=False),
        lambda bob: bob.delete(),
    ],
    ids=["taken out", "switched off", "erased"],
)
async def test_a_stream_hears_that_its_person_left_a_shared_account(ledger, entry, bob, end):
    """What runs by key, or as a long text, is the account's and goes on."""
    his = replace(entry, user_id=bob.pk, key_id=None, face="portal")
    heard, unharmed = Heard(), Heard()
    await ledger.open(his, heard)
    for other in (replace(his, user_id=entry.user_id), replace(his, face="job"), entry):
        await ledger.open(other, unharmed)
    await asyncio.sleep(0.3)
    assert not heard.is_set()
    await read(lambda: end(bob))
    assert await asyncio.to_thread(heard.wait, 2)
    assert isinstance(heard.reason, NoMember)
    await asyncio.sleep(0.3)
    assert not unharmed.is_set()


async def test_a_long_text_goes_on_whose_person_was_erased(ledger, entry, bob):
    gone = bob.pk
    await read(bob.delete)
    record_id = await ledger.open(replace(entry, user_id=gone, key_id=None, face="job"))
    assert (await record(record_id)).user_id is None


@pytest.mark.parametrize(
    "end",
    [
        lambda voice: voice.consent.withdraw(ACTOR),
        lambda voice: voice.set_state(ACTOR, "disabled"),
        lambda voice: voice.erase(ACTOR),
        lambda voice: VoiceConsent.objects.update(expires_at=timezone.now()),
    ],
    ids=["consent withdrawn", "disabled", "erased", "consent expired"],
)
async def test_a_stream_hears_that_its_voice_may_not_be_used_any_more(
    ledger, entry, account, settings, tmp_path, end
):
    settings.TOMBSTONES_FILE = tmp_path / "tombstones.jsonl"
    voice = await read(lambda: make_voice(account))
    heard, unharmed = Heard(), Heard()
    await ledger.open(replace(entry, voice=voice.public_id), heard)
    await ledger.open(entry, unharmed)
    await asyncio.sleep(0.3)
    assert not heard.is_set()
    await read(lambda: end(voice))
    assert await asyncio.to_thread(heard.wait, 2)
    assert isinstance(heard.reason, VoiceSilenced)
    assert not unharmed.is_set()


async def test_a_stream_in_a_built_in_voice_hears_it_as_well(ledger, entry):
    heard, unharmed = Heard(), Heard()
    await ledger.open(replace(entry, voice="nova"), heard)
    await ledger.open(entry, unharmed)
    nova = await read(lambda: Voice.objects.get(public_id="nova"))
    assert nova.used_at
    await read(lambda: nova.set_state(ACTOR, "disabled"))
    assert await asyncio.to_thread(heard.wait, 2)
    assert isinstance(heard.reason, VoiceSilenced)
    assert not unharmed.is_set()


def make_voice(account):
    origin = Origin(ACTOR)
    consent = VoiceConsent.attest(account, "It is her own voice, says she.", origin)
    return Voice.clone(account, "Reader", prepared(), consent, origin)


async def test_closing_after_the_ledger_stopped_does_not_raise(transactional_db, entry):
    ledger = Ledger()
    ledger.start()
    record_id = await ledger.open(entry)
    await asyncio.to_thread(ledger.stop)
    assert ledger.close(record_id, DONE).cancelled()


async def test_stopping_waits_until_what_was_cut_is_closed(ledger, entry):
    record_id = await ledger.open(entry)
    waiting = asyncio.create_task(asyncio.to_thread(ledger.wait_until_closed, 5))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    ledger.close(record_id, DONE)
    await asyncio.wait_for(waiting, 1)
    assert (await record(record_id)).outcome == "completed"


async def test_stopping_waits_no_longer_than_it_may(ledger, entry):
    await ledger.open(entry)
    began = time.monotonic()
    await asyncio.to_thread(ledger.wait_until_closed, 0.1)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(("outcome", "error"), UNWRITABLE)
async def test_what_cannot_be_settled_is_left_to_the_sweeper(
    brief_ledger, entry, caplog, outcome, error
):
    record_id = await brief_ledger.open(entry)
    with pytest.raises(error):
        await settle(brief_ledger, record_id, outcome)
    assert f"usage record {record_id} cannot be settled" in caplog.text
    assert await swept(record_id) == ("server_failed", "server_died", 0)
    assert await streams() == 0
