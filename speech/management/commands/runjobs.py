"""`manage.py runjobs`: say long texts in a process of its own, beside or instead of the server.

Several may run on one database, on several machines, where they share a storage.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from speech.job_models import ACTIVE, Job
from speech.jobs import runner
from speech.ledger import ledger
from speech.longform.runner import JobRunner
from speech.longform.work import aside
from speech.runtime import runtime


class Command(BaseCommand):
    """Until SIGTERM, or until nothing is left."""

    help = "Say long texts, until SIGTERM; with --once until none is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when no job is under way")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        runner.start()  # its engine, too, has voices to forget
        ledger().start()
        runtime.start()
        try:
            asyncio.run(_run(once))
        finally:
            runner.stop()
            runtime.stop()
            ledger().stop()


async def _run(once: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with JobRunner(pause=0.2).running():
        while not stopping.is_set():
            if once and not await aside(Job.objects.filter(state__in=ACTIVE).exists):
                return
            try:
                await asyncio.wait_for(stopping.wait(), 0.2)
            except TimeoutError:
                continue
