"""``manage.py restore [FILE]``: bring back what ``backup`` kept, but nothing that was erased since.

Without a file: after a database was restored by other means, erase again what has a tombstone.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tarfile
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from voices.backups import DATABASE, KEPT, has_live_server, merge_tombstones, put_in_place
from voices.erasure import finish_all, forget_old_pages
from voices.storage import sweep
from voices.tombstones import reapply


class Command(BaseCommand):
    help = "Restore a backup with the server stopped; what was erased since stays erased."
    requires_system_checks = ()  # what is wrong may be what is to be restored

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="what `backup` wrote; none for the database as it is"
        )

    def handle(self, *args: Any, file: Path | None, **options: Any) -> None:
        if has_live_server():
            raise CommandError("Stop the server first.")
        if file is None:
            self._erase_again()
            return
        connection.close()
        try:
            with TemporaryDirectory(dir=settings.DATA_DIR, prefix=".restoring-") as place:
                unpacked = self._unpack(file, Path(place))
                merge_tombstones(unpacked)
                aside = put_in_place(unpacked)
        except (OSError, tarfile.TarError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"What was there before lies in {aside}." if aside else "Restored.")
        self.stdout.flush()
        # Secrets are read once: what follows needs the restored ones.
        again = [sys.executable, sys.argv[0], "restore"]
        if subprocess.run(again, check=False).returncode:  # noqa: S603  (this very command)
            raise CommandError("The backup is in place, but was not brought up to date.")

    def _unpack(self, file: Path, place: Path) -> Path:
        """Into a place of its own, and only what a backup holds."""
        with tarfile.open(file) as archive:
            names = {member.name.split("/")[0] for member in archive}
            if strange := names - set(KEPT):
                raise CommandError(f"This is no backup: it holds {sorted(strange)[0]!r}.")
            archive.extractall(place, filter="data")
        if (place / DATABASE).exists():
            with closing(sqlite3.connect(place / DATABASE)) as database:
                if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    raise CommandError("The database in the backup is damaged.")
        return place

    def _erase_again(self) -> None:
        call_command("migrate", verbosity=0)
        erased, waiting = reapply(), finish_all()
        sweep()
        forget_old_pages()
        self.stdout.write(f"{erased} erased again; {waiting} wait for their storage.")
