"""``manage.py backup FILE``: all that this machine keeps, in one archive, while the server runs."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from voices.backups import write


class Command(BaseCommand):
    help = "Write a backup: database, secrets, recordings and tombstones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to, such as backup.tar.gz")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            held = write(file)
        except (OSError, sqlite3.Error) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {', '.join(held)}")
        if connection.vendor != "sqlite":
            self.stderr.write("The database is not in it: keep what pg_dump writes as well.")
        if settings.S3_BUCKET:
            self.stderr.write(f"The recordings are not in it: they are in {settings.S3_BUCKET}.")
