"""What the ledger wrote, as the database has it; asked from a test's event loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from django.db import IntegrityError, connections

from accounts.models import Counter, KeyUse
from speech.ledger import Outcome
from speech.models import UsageRecord

DONE = Outcome("completed", "stop", characters_charged=10, audio_ms=700, wall_ms=70.0, seed=7)
# Outcomes that no database takes, and what it says.
UNWRITABLE = [
    (replace(DONE, bytes_sent=-1), IntegrityError),
    (replace(DONE, seed=2**64), OverflowError),
]


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


async def swept(record_id):
    async with asyncio.timeout(5):
        while (found := await record(record_id)).outcome == "open":
            await asyncio.sleep(0.05)
    return found.outcome, found.error_code, found.characters_charged
