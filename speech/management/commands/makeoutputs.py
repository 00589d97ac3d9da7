"""`manage.py makeoutputs`: make the files of a job. The runner starts it in its own process."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from speech.job_models import Job
from speech.longform.assembly import make_all
from voices.exceptions import StorageUnavailable


class Command(BaseCommand):
    """Whoever holds the job names itself, so that a job that was taken over is left alone. Ends
    with EX_TEMPFAIL where it is to be tried again later."""

    help = "Make the files of a job that was said in full. Used by the server itself."
    requires_system_checks: list[str] = []  # the server that starts it has made them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", help="the job's id, job_…")
        parser.add_argument("--owner", default="", help="who holds the job")

    def handle(self, *args: Any, job: str, owner: str, **options: Any) -> None:
        os.nice(5)  # people who listen come first
        found = Job.objects.filter(public_id=job, owner=owner).first()
        if found is None:
            raise CommandError("Nobody of that name holds such a job.")
        try:
            make_all(found)
        except (StorageUnavailable, OperationalError, InterfaceError) as error:
            raise CommandError(str(error), returncode=os.EX_TEMPFAIL) from error
