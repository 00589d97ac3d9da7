"""Work in the background of a server: finishing erasures that were interrupted, and taking away
what histories and long texts keep no longer. What says long texts stands in ``speech/longform``.

One thread, which looks every few seconds for what is undone; the database says what that is, so a
kill at any point is made up for by whichever server looks next.
"""

from __future__ import annotations

import logging
import threading

from django.core.checks import Tags, run_checks
from django.db import DatabaseError, InterfaceError, connection

from speech import history, tapes
from speech.longform.retention import erase_expired
from voices.erasure import finish_all, overwrite_recently_erased
from voices.tombstones import reapply

logger = logging.getLogger(__name__)


class Runner:
    """Start it with the server and stop it when the server has drained."""

    def __init__(self, pause: float = 15) -> None:
        self._pause = pause
        self._stopping = threading.Event()
        self._is_to_reapply = True

    def start(self) -> None:
        """What was erased stays erased: that comes before anything is served."""
        self._reapply()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                if self._is_to_reapply:
                    self._reapply()
                finish_all()
                overwrite_recently_erased()
                history.purge()
                tapes.sweep()
                erase_expired()
            except Exception:  # the loop goes on, whatever one round met
                logger.exception("a background job failed")
            connection.close()
            if self._stopping.wait(self._pause):
                return

    def _reapply(self) -> None:
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
