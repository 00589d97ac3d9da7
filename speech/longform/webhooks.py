"""Telling somebody's server of a job's end: what is sent stands in the database until taken."""

from __future__ import annotations

import json
import secrets

from django.utils import timezone

from speech.job_models import Job
from speech.job_parts import WebhookDelivery
from speech.longform.progress import progress_of


def announce(job: Job) -> None:
    """Have whoever wanted to know hear that the job ended."""
    if not job.webhook_url:
        return
    event = f"evt_{secrets.token_hex(12)}"
    body = {
        "id": event,
        "object": "event",
        "type": f"job.{job.state}",
        "created_at": int(timezone.now().timestamp()),
        "data": progress_of(job),
    }
    WebhookDelivery.objects.create(
        job=job,
        url=job.webhook_url,
        secret=job.webhook_secret,
        event_id=event,
        body=json.dumps(body, ensure_ascii=False),
    )
