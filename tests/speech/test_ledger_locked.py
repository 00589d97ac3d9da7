"""A database that another writer has locked: nobody is blocked and nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import time

import pytest
from django.db import connections

from accounts.exceptions import DatabaseUnavailable
from speech.ledger import Ledger
from speech.models import UsageRecord
from tests.speech.bookkeeping import DONE, UNWRITABLE, counted, read, record, settle, streams, swept

pytestmark = pytest.mark.django_db(transaction=True)


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
