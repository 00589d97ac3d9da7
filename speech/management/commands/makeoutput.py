"""`manage.py makeoutput`: make one file of a job. The runner starts it, in a process of its own."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from speech.job_parts import Output
from speech.longform.assembly import make


class Command(BaseCommand):
    """Whoever holds the job names itself, so that a job that was taken over is left alone."""

    help = "Make a file of a job that was said in full. Used by the server itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("output", help="the file's id, out_…")
        parser.add_argument("--owner", default="", help="who holds the job")

    def handle(self, *args: Any, output: str, owner: str, **options: Any) -> None:
        os.nice(10)  # people who listen come first
        wanted = Output.objects.select_related("job").filter(public_id=output, job__owner=owner)
        found = wanted.first()
        if found is None:
            raise CommandError("There is no such file to be made.")
        make(found)
