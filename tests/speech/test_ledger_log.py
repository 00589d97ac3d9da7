"""SQLite's write-ahead log does not grow for as long as the server runs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import time

from django.db import connections

from speech.ledger import Ledger
from tests.speech.bookkeeping import DONE, settle


async def test_it_moves_sqlites_log_into_the_database_while_it_runs(
    transactional_db, entry, tmp_path
):
    ledger = Ledger(retry_seconds=0.02, writes_per_move=10)
    ledger.start()
    try:
        # The first of them: what comes after a move waits for the next.
        first = await ledger.open(entry)
        await settle(ledger, first, DONE)
        for _ in range(5):
            await settle(ledger, await ledger.open(entry), DONE)
        assert await asyncio.to_thread(eventually_stored, first, tmp_path)
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
