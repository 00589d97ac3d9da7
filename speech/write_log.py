"""SQLite's write-ahead log: moved into the database beside those who write, never by one of them.

Left to itself SQLite moves it at the end of whichever commit comes across a thousand pages, and
waits for the disk twice: about one request in sixty had to wait for that before its first sound.
Other databases keep such work to themselves.
"""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)


def move_write_log() -> None:
    """Move what can be moved while nobody waits; the next move takes what could not."""
    if connection.vendor != "sqlite":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except DatabaseError as error:
        logger.warning("the write-ahead log was not moved: %s", error)
    finally:
        connection.close()
