"""The ledger: what is reserved, charged and given back, also after a cancel or a lock."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections

from accounts.exceptions import DatabaseUnavailable, QuotaExceeded, TooManyStreams
from accounts.models import ApiKey, Counter, KeyUse
from speech.ledger import Entry, Ledger, Outcome
from speech.models import UsageRecord

pytestmark = pytest.mark.django_db(transaction=True)

DONE = Outcome("completed", "stop", characters_charged=10, audio_ms=700, wall_ms=70.0, seed=7)


@pytest.fixture
def ledger(transactional_db):
    ledger = Ledger(renew_seconds=0.1, sweep_seconds=0.1, retry_seconds=0.05)
    ledger.start()
    yield ledger
    ledger.stop()


@pytest.fixture
def key(account):
    return ApiKey.issue(account, "limited", monthly_characters=100, parallel_streams=2)[1]


@pytest.fixture
def entry(account, alice, key):
    return Entry(
        request_id="req_1", account_id=account.pk, user_id=alice.pk, key_id=key.pk,
        user_agent="curl", face="openai", voice="alloy", model="tts-1", model_used="tone",
        engine="tone", response_format="mp3", stream_format="audio", characters=10,
        ceiling_ms=1000, text_hash="0" * 64, settings={"speed": 1.5}, seed=None,
    )  # fmt: skip


async def read(question):
    return await asyncio.to_thread(_read, question)


def _read(question):
    try:
        return question()
    finally:
        connections.close_all()


def record(record_id):
    return read(lambda: UsageRecord.objects.get(pk=record_id))


def counted():
    """Per counter, account first: used and reserved characters, used and reserved milliseconds."""
    fields = ("characters_used", "characters_reserved", "ms_used", "ms_reserved")
    return read(lambda: list(Counter.objects.order_by("key").values_list(*fields)))


def streams():
    return read(lambda: sum(KeyUse.objects.values_list("open_streams", flat=True)))


async def settle(ledger, record_id, outcome):
    await asyncio.wrap_future(ledger.close(record_id, outcome))


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


async def test_a_stream_hears_that_its_key_was_revoked(ledger, entry, key):
    heard = threading.Event()
    await ledger.open(entry, heard.set)
    await read(key.revoke)
    assert await asyncio.to_thread(heard.wait, 2)


async def test_a_stream_hears_that_its_account_was_closed(ledger, entry, account):
    heard = threading.Event()
    await ledger.open(replace(entry, key_id=None), heard.set)
    await asyncio.sleep(0.3)
    assert not heard.is_set()
    account.is_active = False
    await read(account.save)
    assert await asyncio.to_thread(heard.wait, 2)


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


# -- a record that cannot be written as it ended

UNWRITABLE = [
    (replace(DONE, bytes_sent=-1), IntegrityError),
    (replace(DONE, seed=2**64), OverflowError),
]


@pytest.fixture
def brief_ledger(transactional_db):
    """Its leases run out soon after nobody renews them."""
    ledger = Ledger(lease_seconds=0.5, renew_seconds=0.1, sweep_seconds=0.1, retry_seconds=0.05)
    ledger.start()
    yield ledger
    ledger.stop()


async def swept(record_id):
    async with asyncio.timeout(5):
        while (found := await record(record_id)).outcome == "open":
            await asyncio.sleep(0.05)
    return found.outcome, found.error_code, found.characters_charged


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


# -- a database that another writer has locked


@pytest.fixture
def lock(transactional_db, monkeypatch):
    """Call it to lock the database and get the function that unlocks it.

    Asked for before the ledger, whose connection then waits 0.3 s instead of five.
    """
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.3)
    path = connections.settings["default"]["NAME"]
    writer = sqlite3.connect(path, isolation_level=None)

    def lock():
        writer.execute("BEGIN IMMEDIATE")
        return lambda: writer.execute("ROLLBACK")

    yield lock
    writer.close()


async def test_a_locked_database_refuses_new_work_and_blocks_nobody(lock, ledger, entry):
    unlock = lock()
    longest_gap, began = 0.0, time.monotonic()

    async def tick():
        nonlocal longest_gap
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest_gap = max(longest_gap, time.monotonic() - before)

    ticking = asyncio.create_task(tick())
    with pytest.raises(DatabaseUnavailable) as refusal:
        await ledger.open(entry)
    ticking.cancel()
    unlock()
    assert (refusal.value.status, refusal.value.code) == (503, "database_unavailable")
    assert refusal.value.retry_after
    assert time.monotonic() - began < 2
    assert longest_gap < 0.25
    await settle(ledger, await ledger.open(entry), DONE)


async def test_what_ended_during_a_lock_is_settled_when_it_is_over(lock, ledger, entry):
    record_ids = [await ledger.open(entry) for _ in range(2)]
    unlock = lock()
    closed = [ledger.close(record_id, DONE) for record_id in record_ids]
    await asyncio.sleep(0.8)
    assert not any(future.done() for future in closed)
    unlock()
    await asyncio.wait_for(asyncio.gather(*map(asyncio.wrap_future, closed)), 5)
    assert await counted() == [(20, 0, 1400, 0)] * 2
    assert await streams() == 0


async def test_one_that_cannot_be_settled_late_holds_up_no_other(lock, brief_ledger, entry):
    bad, good = [await brief_ledger.open(entry) for _ in range(2)]
    unlock = lock()
    brief_ledger.close(bad, UNWRITABLE[0][0])
    closed = brief_ledger.close(good, DONE)
    await asyncio.sleep(0.5)
    assert not closed.done()
    unlock()
    await asyncio.wait_for(asyncio.wrap_future(closed), 5)
    assert await swept(bad) == ("server_failed", "server_died", 0)
    assert (await record(good)).outcome == "completed"


async def test_a_caller_that_gave_up_waiting_for_a_lock_leaves_no_open_record(lock, entry):
    ledger = Ledger(open_seconds=0.1)
    ledger.start()
    try:
        unlock = lock()
        with pytest.raises(DatabaseUnavailable):
            await ledger.open(entry)
        unlock()
    finally:
        await asyncio.to_thread(ledger.stop)
    assert await read(UsageRecord.objects.filter(outcome="open").count) == 0
    assert await streams() == 0


async def test_it_moves_sqlites_log_into_the_database_while_it_runs(transactional_db, entry, tmp_path):
    ledger = Ledger(retry_seconds=0.02, writes_per_move=10)
    ledger.start()
    try:
        for _ in range(5):
            last = await ledger.open(entry)
            await settle(ledger, last, DONE)
        assert await asyncio.to_thread(eventually_stored, last, tmp_path)
    finally:
        ledger.stop()


def eventually_stored(record_id, folder, seconds=5):
    """Whether the database's own file holds the record, without the log that lies beside it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        alone = shutil.copy(connections["default"].settings_dict["NAME"], folder / "alone.sqlite3")
        with (
            contextlib.closing(sqlite3.connect(alone)) as database,
            contextlib.suppress(sqlite3.OperationalError),  # without even the table as yet
        ):
            found = "SELECT count(*) FROM speech_usagerecord WHERE id = ?"
            if database.execute(found, [record_id]).fetchone()[0]:
                return True
        time.sleep(0.05)
    return False
