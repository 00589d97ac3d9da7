"""Work in the background of a server: finishing erasures that were interrupted, making the
built-in voices that nobody has waited for, importing voices, and taking away what histories and
long texts keep no longer. What says long texts stands in ``speech/longform``.

It also has the engine forget the voices whose epoch has risen. One thread, which looks every few
seconds for what is undone; the database says what that is, so a kill at any point is made up for
by whichever server looks next. What fails is tried again in the next round, and keeps nothing else
from being done in this one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.core.checks import Tags, run_checks
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from speech import history, tapes
from speech.baking import follow
from speech.epochs import heard
from speech.heard import sweep as sweep_heard
from speech.longform.retention import erase_expired
from speech.longform.storage import finish_erasing
from voices.consents import expire_due
from voices.designs import drop_expired
from voices.erasure import finish_all, overwrite_recently_erased
from voices.exceptions import ProgramUnavailable, StorageUnavailable
from voices.imports import advance
from voices.storage import sweep
from voices.tombstones import reapply

logger = logging.getLogger(__name__)


class Runner:
    """Start it with the server and stop it when the server has drained."""

    def __init__(self, pause: float = 5) -> None:
        self._pause = pause
        self._stopping = threading.Event()

    def start(self) -> None:
        """What was erased stays erased: that comes before anything is served."""
        self._is_to_reapply = True
        self._reapply()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        chores: tuple[Callable[[], object], ...] = (
            self._reapply,
            expire_due,
            heard.forget_changed,
            *(finish_all, drop_expired, overwrite_recently_erased, sweep),
            follow,
            self._import,
            *(history.purge, tapes.sweep, sweep_heard),
            *(erase_expired, finish_erasing),
        )
        while True:
            for chore in chores:
                self._do(chore)
            connection.close()
            if self._stopping.wait(self._pause):
                return

    def _do(self, chore: Callable[[], object]) -> None:
        """One of them: whatever it meets keeps no other from being done."""
        name = f"{chore.__module__}.{chore.__name__}"
        try:
            chore()
        except (OperationalError, InterfaceError) as error:
            logger.warning("%s finds no database: %s", name, error)
            connection.close()
        except Exception:  # the loop goes on
            logger.exception("%s failed", name)
            connection.close()

    def _import(self) -> None:
        """A file takes a second or so: what else there is to do waits no longer than a round."""
        until = time.monotonic() + self._pause

        def is_time() -> bool:
            return self._stopping.is_set() or time.monotonic() > until

        with suppress(StorageUnavailable, ProgramUnavailable):  # which are logged; later
            while not is_time() and advance(is_time):
                pass

    def _reapply(self) -> None:
        if not self._is_to_reapply:
            return
        try:
            reapply()
            for finding in run_checks(tags=[Tags.database], databases=["default"]):
                logger.warning("%s", finding)
        except (DatabaseError, InterfaceError) as error:
            # The server starts without its database, and says so in /readyz.
            logger.warning("tombstones are looked at later: %s", error)
        else:
            self._is_to_reapply = False


runner = Runner()
