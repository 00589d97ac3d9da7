"""The ledger: what is reserved, charged and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.exceptions import QuotaExceeded, TooManyStreams
from speech.models import UsageRecord
from tests.speech.bookkeeping import DONE, counted, read, record, settle, streams

pytestmark = pytest.mark.django_db(transaction=True)


async def test_opening_reserves_the_characters_the_ceiling_and_a_stream(ledger, entry):
    opened = await record(await ledger.open(entry))
    assert (opened.outcome, opened.closed_at) == ("open", None)
    assert opened.lease_until > opened.created_at
    assert opened.settings == {"speed": 1.5}
    assert await counted() == [(0, 10, 0, 1000)] * 2
    assert await streams() == 1


async def test_closing_charges_what_was_delivered_and_frees_the_rest(ledger, entry):
    record_id = await ledger.open(entry)
    await settle(ledger, record_id, DONE)
    closed = await record(record_id)
    assert closed.outcome == "completed"
    assert (closed.characters_charged, closed.ms_charged) == (10, 700)
    assert (closed.seed, closed.rtf) == (7, 0.1)
    assert closed.closed_at is not None
    assert closed.lease_until is None
    assert await counted() == [(10, 0, 700, 0)] * 2
    assert await streams() == 0


async def test_closing_twice_charges_once(ledger, entry):
    record_id = await ledger.open(entry)
    for outcome in (DONE, DONE, replace(DONE, outcome="client_closed")):
        await settle(ledger, record_id, outcome)
    assert (await record(record_id)).outcome == "completed"
    assert await counted() == [(10, 0, 700, 0)] * 2
    assert await streams() == 0


async def test_our_own_failure_is_free(ledger, entry):
    record_id = await ledger.open(entry)
    await settle(ledger, record_id, replace(DONE, outcome="server_failed", error_code="boom"))
    failed = await record(record_id)
    assert (failed.characters_charged, failed.ms_charged, failed.audio_ms) == (0, 0, 700)
    assert failed.error_code == "boom"
    assert await counted() == [(0, 0, 0, 0)] * 2


async def test_it_never_charges_more_than_was_reserved(ledger, entry):
    record_id = await ledger.open(entry)
    await settle(ledger, record_id, replace(DONE, characters_charged=99, audio_ms=9999))
    assert await counted() == [(10, 0, 1000, 0)] * 2


async def test_a_quota_that_does_not_suffice_leaves_no_trace(ledger, entry):
    with pytest.raises(QuotaExceeded):
        await ledger.open(replace(entry, characters=101))
    assert await read(UsageRecord.objects.count) == 0
    assert await streams() == 0
    assert await counted() == []


async def test_the_last_character_of_a_quota_can_be_spent(ledger, entry):
    await settle(
        ledger,
        await ledger.open(replace(entry, characters=100)),
        replace(DONE, characters_charged=99),
    )
    record_id = await ledger.open(replace(entry, characters=1))
    with pytest.raises(QuotaExceeded):
        await ledger.open(replace(entry, characters=1))
    await settle(ledger, record_id, replace(DONE, outcome="server_failed"))
    await ledger.open(replace(entry, characters=1))


async def test_the_account_limits_audio_seconds_for_all_its_keys(ledger, entry, account):
    account.monthly_seconds = 2
    await read(account.save)
    keyless = replace(entry, key_id=None)
    for caller in (entry, keyless):
        await ledger.open(caller)
    for caller in (entry, keyless):
        with pytest.raises(QuotaExceeded):
            await ledger.open(caller)
    assert await counted() == [(0, 20, 0, 2000), (0, 10, 0, 1000)]


async def test_a_key_holds_so_many_streams_at_once(ledger, entry):
    first, _ = [await ledger.open(entry) for _ in range(2)]
    with pytest.raises(TooManyStreams) as refusal:
        await ledger.open(entry)
    assert refusal.value.retry_after == 1
    await settle(ledger, first, DONE)
    await ledger.open(entry)


async def test_a_rotated_key_shares_streams_and_quota_with_its_successor(ledger, entry, key):
    _, successor = await read(lambda: key.rotate(timedelta(hours=1)))
    for key_id in (key.pk, successor.pk):
        await ledger.open(replace(entry, key_id=key_id))
    with pytest.raises(TooManyStreams):
        await ledger.open(replace(entry, key_id=successor.pk))
    assert len(await counted()) == 2
