"""Processes that share one ledger database: they race for a quota, hold records, sweep.

Run as a script with DATA_DIR or DATABASE_URL set; each command prints one line of JSON.
"""

# ruff: noqa: E402  (Django must be set up before models are imported)
from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections import Counter as Tally
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")

import django
import psycopg

django.setup()

from django.db import connection

from accounts.exceptions import Refusal
from accounts.models import Account, ApiKey, Counter, KeyUse
from speech.ledger import Entry, Ledger, Outcome
from speech.models import UsageRecord

PROCESSES, REQUESTS = 8, 100
CHARACTERS, MS = 10, 1000
LIMIT = 4000  # half of what is asked for
RATE = 300
STREAMS = 5
LEASE = {"lease_seconds": 1.5, "renew_seconds": 0.5, "sweep_seconds": 0.2}


def entry(account: Account, key: ApiKey) -> Entry:
    return Entry(
        request_id="race", account_id=account.pk, user_id=None, key_id=key.pk, user_agent="",
        face="openai", voice="alloy", model="tts-1", model_used="tone", engine="tone",
        response_format="pcm", stream_format="audio", characters=CHARACTERS, ceiling_ms=MS,
        text_hash="", settings={}, seed=None,
    )  # fmt: skip


def prepare() -> tuple[Account, ApiKey]:
    account = Account.objects.default()
    Account.objects.filter(pk=account.pk).update(monthly_characters=LIMIT)
    _, key = ApiKey.issue(account, "race", parallel_streams=STREAMS, requests_per_minute=RATE)
    return account, key


async def run(account: Account, key: ApiKey) -> Tally[str]:
    tally: Tally[str] = Tally()
    ledger = Ledger()
    ledger.start()
    closed = []
    for number in range(REQUESTS):
        try:
            record = await ledger.open(entry(account, key))
        except Refusal as refusal:
            tally[refusal.code] += 1
            continue
        tally["opened"] += 1
        charged = Outcome("completed", characters_charged=CHARACTERS, audio_ms=number)
        closed.append(ledger.close(record, charged))
    await asyncio.to_thread(ledger.stop)
    tally["closed"] = sum(future.result(0) is None for future in closed)
    return tally


def racer(account: Account, key: ApiKey, start, results) -> None:
    start.wait()
    tally = asyncio.run(run(account, key))
    counted = sum(key.count_request(minute=1) is not None for _ in range(REQUESTS))
    tally["counted"] = counted
    connection.close()
    results.put(tally)


def sample(peaks: dict[str, int]) -> None:
    for counter in Counter.objects.all():
        spent = counter.characters_used + counter.characters_reserved
        peaks["characters"] = max(peaks["characters"], spent)
    for use in KeyUse.objects.all():
        peaks["streams"] = max(peaks["streams"], use.open_streams)


def state() -> dict[str, object]:
    counters = Counter.objects.order_by("account")
    return {
        "outcomes": dict(Tally(UsageRecord.objects.values_list("outcome", flat=True))),
        "charged": sum(UsageRecord.objects.values_list("characters_charged", flat=True)),
        "ms_charged": sum(UsageRecord.objects.values_list("ms_charged", flat=True)),
        "used": [counter.characters_used for counter in counters],
        "ms_used": [counter.ms_used for counter in counters],
        "reserved": [counter.characters_reserved + counter.ms_reserved for counter in counters],
        "streams": sum(KeyUse.objects.values_list("open_streams", flat=True)),
    }


def race() -> None:
    """8 processes x 100 requests against one limit, watched from a ninth."""
    account, key = prepare()
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # its sockets must not be shared with the children
    forked = multiprocessing.get_context("fork")
    start, results = forked.Event(), forked.SimpleQueue()
    processes = [
        forked.Process(target=racer, args=(account, key, start, results), daemon=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    start.set()
    peaks = {"characters": 0, "streams": 0}
    while any(process.is_alive() for process in processes):
        sample(peaks)
        time.sleep(0.01)
    tally = sum((results.get() for _ in processes if not results.empty()), Tally())
    print(json.dumps({"tally": dict(tally), "peaks": peaks, **state()}))


def hold() -> None:
    """Opens three records and keeps their leases until it is killed."""
    account, key = prepare()

    async def open_and_hang() -> None:
        ledger = Ledger(**LEASE)
        ledger.start()
        for _ in range(3):
            await ledger.open(entry(account, key))
        print(json.dumps(await asyncio.to_thread(state)), flush=True)
        await asyncio.sleep(60)

    asyncio.run(open_and_hang())


def sweep() -> None:
    """Runs a ledger until nothing is open any more; says how long that took."""
    began = time.monotonic()
    ledger = Ledger(**LEASE)
    ledger.start()
    while state()["outcomes"].get("open") and time.monotonic() - began < 10:
        time.sleep(0.05)
    ledger.stop()
    print(json.dumps({"seconds": time.monotonic() - began, **state()}))


def reconnect() -> None:
    """Opens a record, loses every connection to PostgreSQL, closes it and opens another."""
    account, key = prepare()
    connection.close()

    async def lose_connection() -> None:
        ledger = Ledger()
        ledger.start()
        record = await ledger.open(entry(account, key))
        await asyncio.to_thread(end_connections)
        await asyncio.wrap_future(ledger.close(record, Outcome("completed")))
        await asyncio.to_thread(end_connections)
        await ledger.open(entry(account, key))
        await asyncio.to_thread(ledger.stop)

    asyncio.run(lose_connection())
    connection.close_pool()
    print(json.dumps(state()))


def end_connections() -> None:
    """Like a restart of the server, seen from here."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


if __name__ == "__main__":
    {"race": race, "hold": hold, "sweep": sweep, "reconnect": reconnect}[sys.argv[1]]()
