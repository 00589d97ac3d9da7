"""Having a job's files made, each by a process of its own, so that streams do not feel it."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from django.conf import settings

from speech.job_models import Job
from speech.job_parts import Output, Segment
from speech.longform.work import aside

logger = logging.getLogger(__name__)
FAILED = "The file could not be made."


async def make_files(job: Job) -> None:
    """Make what is not made yet of a job of which everything could be said."""
    for output_id in await aside(_wanted, job):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "makeoutput"),
            *(output_id, "--owner", job.owner),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            if await process.wait():
                logger.error("making %s of %s failed", output_id, job.public_id)
                await aside(_give_up, output_id)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _wanted(job: Job) -> list[str]:
    if job.segments.exclude(state=Segment.State.FINISHED).exists():
        return []
    wanted = job.outputs.filter(state=Output.State.PENDING)
    return list(wanted.values_list("public_id", flat=True))


def _give_up(output_id: str) -> None:
    Output.objects.filter(public_id=output_id, state=Output.State.PENDING).update(
        state=Output.State.FAILED, error=FAILED
    )
