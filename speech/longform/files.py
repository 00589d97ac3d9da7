"""Having a job's files made, by a process of its own, so that streams do not feel it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

from django.conf import settings

from speech.job_models import Job
from speech.job_parts import Output, Segment
from speech.longform.work import Stop, aside
from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)
FAILED = "The file could not be made."
STORAGE_SECONDS = 30.0


async def make_files(job: Job) -> Stop | None:
    """Make what is not made yet of a job of which everything could be said; why it has to wait."""
    if not await aside(_is_due, job):
        return None
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "makeoutputs"),
        *(job.public_id, "--owner", job.owner),
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        code = await process.wait()
        if code == os.EX_TEMPFAIL:
            return Stop("storage_unavailable", str(StorageUnavailable()), STORAGE_SECONDS)
        if code:
            logger.error("making the files of %s failed", job.public_id)
            await aside(_give_up, job)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None


def _is_due(job: Job) -> bool:
    is_said = not job.segments.exclude(state=Segment.State.FINISHED).exists()
    return is_said and job.outputs.filter(state=Output.State.PENDING).exists()


def _give_up(job: Job) -> None:
    ours = Job.objects.filter(pk=job.pk, owner=job.owner)
    unmade = job.outputs.filter(state=Output.State.PENDING, job__in=ours)
    unmade.update(state=Output.State.FAILED, error=FAILED)
