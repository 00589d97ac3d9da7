"""``manage.py verifyaudit``: read the whole audit log and fail where it is not what was written."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import Altered, verify
from accounts.models import AuditEntry


class Command(BaseCommand):
    help = "Check that nobody has altered the audit log; print its last entry's number and digest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--noted",
            metavar="DIGEST",
            help="a digest this command printed before: it must still be part of the log, which "
            "finds out whoever wrote the whole log anew",
        )

    def handle(self, *args: Any, noted: str | None, **options: Any) -> None:
        try:
            head = verify()
        except Altered as error:
            raise CommandError(f"The audit log was altered. {error}") from error
        if noted and not AuditEntry.objects.filter(digest=noted).exists():
            raise CommandError("The audit log was written anew: the noted digest is not in it.")
        self.stdout.write(f"{head.number} {head.digest}")
