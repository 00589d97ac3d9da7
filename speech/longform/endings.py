"""How a job's run ends: done, waiting for something, or waiting for somebody."""

from __future__ import annotations

import logging

from django.db import transaction

from speech.job_models import Job, State
from speech.longform.storage import sweep
from speech.longform.webhooks import announce
from speech.longform.work import Stop
from voices.exceptions import StorageUnavailable

logger = logging.getLogger(__name__)


def settle(job: Job, stop: Stop) -> None:
    """The job cannot go on now."""
    if stop.seconds is None:
        job.release(state=State.PAUSED, reason=stop.code, message=stop.message[:500])
    else:
        job.wait(stop.code, stop.message, stop.seconds)


def end_of(job: Job) -> bool:
    """Close a job of which nothing is left to do; False where something is, after all."""
    with transaction.atomic():  # it has not ended where nobody would hear of it
        if not job.complete():
            return False
        job.refresh_from_db()
        announce(job)
    try:
        sweep(job)
    except StorageUnavailable as error:
        logger.warning("what is left over of %s stays for now: %s", job.public_id, error)
    return True
