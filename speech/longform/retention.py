"""Jobs are not kept for ever: with their texts and audio they go some days after their end."""

from __future__ import annotations

import logging

from django.conf import settings

from speech.job_models import Job
from speech.longform.storage import erase

logger = logging.getLogger(__name__)
_AT_ONCE = 20


def erase_expired() -> int:
    """Erase some of those whose time is over; returns how many."""
    if not settings.JOB_DAYS:
        return 0
    expired = list(Job.objects.expired(settings.JOB_DAYS)[:_AT_ONCE])
    for job in expired:
        erase(job)
    if expired:
        logger.info("erased %d jobs that had ended %d days ago", len(expired), settings.JOB_DAYS)
    return len(expired)
