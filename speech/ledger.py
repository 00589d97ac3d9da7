"""The ledger: opens and closes usage records for a process that must not wait for its database.

One writer thread with a connection of its own does every write. Opening is awaited, because
nothing may start unreserved; closing is handed over and repeated until the database takes it.
A clock thread rings the writer to renew leases, repeat and sweep, and does beside it what takes
the disk's time. Knows nothing of audio or HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import cache, partial
from time import monotonic, sleep
from typing import Any, TypeVar
from uuid import uuid4

from django.db import InterfaceError, OperationalError, connection

from accounts.exceptions import DatabaseUnavailable, InvalidKey, NoMember
from speech import usage
from speech.job_models import Unwanted
from speech.models import UsageRecord
from speech.usage import Entry, Outcome
from speech.write_log import move_write_log
from voices.exceptions import VoiceSilenced

__all__ = ["Entry", "Ledger", "Outcome", "ledger"]

logger = logging.getLogger(__name__)
T = TypeVar("T")
OnRevoked = Callable[[Exception], None]

_Waiting = tuple[int, Outcome, Future[None], Callable[[], None] | None]
_LONGEST_RETRY = 5.0
# The right to speak that one began with, and why it is at its end.
_ENDS = (
    (usage.left_among, NoMember),
    (usage.revoked_among, InvalidKey),
    (usage.silenced_among, VoiceSilenced),
)


class Ledger:
    """Start it before the first ``open`` and stop it after the last ``close``."""

    def __init__(
        self,
        *,
        lease_seconds: float = 30,
        renew_seconds: float = 5,
        sweep_seconds: float = 15,
        open_seconds: float = 6,
        retry_seconds: float = 0.5,
        writes_per_move: int = 400,  # that is about 3,400 pages of SQLite's log
    ) -> None:
        self.boot = uuid4().hex
        self._lease = timedelta(seconds=lease_seconds)
        self._renew_seconds = renew_seconds
        self._sweep_seconds = sweep_seconds
        self._open_seconds = open_seconds  # a little more than the database's own busy timeout
        self._retry_seconds = retry_seconds
        self._retry_after = retry_seconds
        self._renew_at = self._sweep_at = self._retry_at = 0.0
        # Changed by the writer alone. A record that was committed without our hearing of it is in
        # neither, so nobody renews its lease and it is swept.
        self._open_records: dict[int, OnRevoked | None] = {}
        self._unsettled: list[_Waiting] = []
        self._writes = 0
        self._writes_per_move = writes_per_move

    def start(self) -> None:
        """Begin to write; what dead processes left open is swept at once."""
        self._stopping = threading.Event()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._clock = threading.Thread(target=self._ring, name="ledger-clock", daemon=True)
        self._clock.start()

    def wait_until_closed(self, timeout: float) -> None:
        """Give everybody up to ``timeout`` seconds to close; later ones are left to a sweeper."""
        deadline = monotonic() + timeout
        while self._open_records and monotonic() < deadline:
            sleep(0.02)

    def stop(self, timeout: float = 10) -> None:
        """Settle what the database takes within ``timeout`` seconds; a sweeper closes the rest."""
        deadline = monotonic() + timeout
        self._stopping.set()
        self._clock.join()
        while self._writer.submit(self._settle_late).result() and monotonic() < deadline:
            sleep(0.05)
        self._writer.submit(connection.close)
        self._writer.shutdown()

    async def open(self, entry: Entry, on_revoked: OnRevoked | None = None) -> int:
        """Reserve and record a synthesis before the engine is asked; returns the record's id.

        Raises QuotaExceeded, TooManyStreams or DatabaseUnavailable. A caller that gives up
        waiting leaves no open record behind. ``on_revoked`` is called with the reason, perhaps
        more than once and on the writer's thread, within ``renew_seconds`` of the end of the key,
        the account, the person's part in it, or the right to speak with the voice.
        """
        opening = self._writer.submit(self._open, entry, on_revoked)
        try:
            async with asyncio.timeout(self._open_seconds):
                return await asyncio.wrap_future(opening)
        except (TimeoutError, asyncio.CancelledError) as error:
            if not opening.cancel():
                opening.add_done_callback(self._take_back)
            if isinstance(error, TimeoutError):
                raise DatabaseUnavailable() from error
            raise

    def close(
        self, record_id: int, outcome: Outcome, beside: Callable[[], None] | None = None
    ) -> Future[None]:
        """Settle a record once, however often asked; never waits and never raises.

        The future is done when the database has it, and with it what ``beside`` writes in the same
        transaction; it holds Unwanted when ``beside`` raised that, or the record was closed.
        """
        settled: Future[None] = Future()
        try:
            self._submit(self._settle, record_id, outcome, settled, beside)
        except RuntimeError:  # stopped: the record's lease runs out and a sweeper closes it
            logger.warning("usage record %d was closed after the ledger", record_id)
            settled.cancel()
        return settled

    # -- on the writer's thread

    def _open(self, entry: Entry, on_revoked: OnRevoked | None) -> int:
        record_id = self._write(lambda: usage.open_record(entry, self.boot, self._lease))
        self._open_records[record_id] = on_revoked
        return record_id

    def _settle(
        self,
        record_id: int,
        outcome: Outcome,
        settled: Future[None],
        beside: Callable[[], None] | None = None,
    ) -> None:
        # Behind one that waits, the next waits too: each try may cost the whole busy timeout.
        if self._unsettled:
            self._unsettled.append((record_id, outcome, settled, beside))
            return
        try:
            self._write(lambda: usage.close_record(record_id, outcome, beside=beside))
        except DatabaseUnavailable as error:
            logger.warning("usage record %d is settled later: %s", record_id, error.__cause__)
            self._unsettled.append((record_id, outcome, settled, beside))
            self._retry_at = monotonic() + self._retry_seconds
            return
        except Unwanted as error:
            settled.set_exception(error)
        except Exception as error:
            # Trying again would not help: its lease runs out and a sweeper closes it.
            logger.exception("usage record %d cannot be settled", record_id)
            settled.set_exception(error)
        else:
            settled.set_result(None)
        self._open_records.pop(record_id, None)

    def _settle_late(self) -> int:
        """Try what could not be settled; returns how many are left."""
        waiting, self._unsettled = self._unsettled, []
        for item in waiting:
            self._settle(*item)
        self._retry_after = (
            min(self._retry_after * 2, _LONGEST_RETRY) if self._unsettled else self._retry_seconds
        )
        self._retry_at = monotonic() + self._retry_after
        return len(self._unsettled)

    def _take_back(self, opening: Future[int]) -> None:
        """The caller of ``open`` has gone, but the record was or will be written."""
        if not opening.cancelled() and opening.exception() is None:
            self.close(opening.result(), Outcome(UsageRecord.Outcome.CLIENT_CLOSED))

    def _maintain(self) -> None:
        now = monotonic()
        try:
            if now >= self._renew_at:
                self._renew_at = now + self._renew_seconds
                self._write(lambda: usage.renew_leases(self._open_records, self._lease))
                for among, reason in _ENDS:
                    self._stop_revoked(self._write(partial(among, self._open_records)), reason())
            if now >= self._sweep_at:
                self._sweep_at = now + self._sweep_seconds
                if swept := self._write(usage.sweep):
                    logger.warning("closed %d usage records that a dead process left open", swept)
        except DatabaseUnavailable as error:
            logger.warning("the ledger finds no database: %s", error.__cause__)
        if self._unsettled and now >= self._retry_at:
            self._settle_late()

    def _stop_revoked(self, record_ids: list[int], reason: Exception) -> None:
        for record_id in record_ids:
            if on_revoked := self._open_records.get(record_id):
                on_revoked(reason)

    def _write(self, transaction: Callable[[], T], *, again: bool = True) -> T:
        """Run a transaction; a connection that the server had closed is replaced once."""
        used = None
        self._writes += 1
        try:
            connection.ensure_connection()
            used = connection.connection
            return transaction()
        except (OperationalError, InterfaceError) as error:
            # Leaving a transaction may already have put a new connection in a lost one's place.
            is_same = connection.connection is used and connection.is_usable()
            connection.close()
            if again and used is not None and not is_same:
                return self._write(transaction, again=False)
            raise DatabaseUnavailable() from error

    # -- ringing the writer

    def _ring(self) -> None:
        pause = min(self._retry_seconds, self._renew_seconds, self._sweep_seconds)
        moved_at = 0
        while not self._stopping.is_set():
            self._submit(self._maintain).exception()  # at most one waits in the writer's queue
            if self._writes - moved_at >= self._writes_per_move:
                moved_at = self._writes
                move_write_log()
            self._stopping.wait(pause)

    def _submit(self, task: Callable[..., None], *arguments: Any) -> Future[None]:
        """Have the writer do something nobody waits for, so that a failure is logged."""
        doing = self._writer.submit(task, *arguments)
        doing.add_done_callback(_log_failure)
        return doing


def _log_failure(doing: Future[None]) -> None:
    if error := doing.exception():
        logger.error("the ledger failed", exc_info=error)


@cache
def ledger() -> Ledger:
    """The ledger of this process. ``asgi.py`` starts and stops it."""
    return Ledger()
