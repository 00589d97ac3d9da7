"""Long texts in a database of their own: put there, said by ``manage.py runjobs``, and looked at.

Run as a script with DATA_DIR or DATABASE_URL set; each command prints one line of JSON.
"""

# ruff: noqa: E402  (Django must be set up before models are imported)
from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter as Tally
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")

import django

django.setup()

from django.core.files.storage import default_storage
from django.db.models import Sum

from accounts.models import Account, Counter
from speech.documents import read_text
from speech.job_models import Job
from speech.job_parts import Segment
from speech.longform.storage import kept
from speech.longform.submission import JobRequest, submit
from speech.models import UsageRecord
from speech.requests import Caller

SENTENCE = os.environ.get("SENTENCE", "Sentence {number} of the book {name} is said here.")
SENTENCES = int(os.environ.get("SENTENCES", "40"))


def text(name: str) -> str:
    said = [SENTENCE.format(number=number, name=name) for number in range(SENTENCES)]
    return "\n\n".join(
        f"Chapter {number // 20 + 1}\n\n{sentence}" if number % 20 == 0 else sentence
        for number, sentence in enumerate(said)
    )


def put() -> None:
    """One job for each of two accounts."""
    for name in ("first", "second"):
        account = Account.objects.create(name=name)
        caller = Caller(account, "job", "test")
        request = JobRequest(
            title=name, voice=os.environ.get("VOICE", "alloy"), seed=7, outputs=(("flac", "whole"),)
        )
        submit(read_text(text(name), 100_000), request, caller)
    print(json.dumps({"segments": Segment.objects.count()}))


def show() -> None:
    """Where everything stands."""
    jobs = []
    for job in Job.objects.order_by("pk"):
        heard = hashlib.sha256()
        for segment in job.segments.exclude(audio="").order_by("index"):
            with default_storage.open(segment.audio) as file:
                heard.update(file.read())
        output = job.outputs.get()
        if output.file:
            with default_storage.open(output.file) as file:
                heard.update(file.read())
        jobs.append(
            {
                "state": job.state,
                "segments": dict(Tally(job.segments.values_list("state", flat=True))),
                "characters": job.characters,
                "heard": heard.hexdigest(),
                "files": len(kept(job)),
            }
        )
    completed = UsageRecord.objects.filter(outcome="completed")
    print(
        json.dumps(
            {
                "jobs": jobs,
                "records": completed.count(),
                "named": Segment.objects.exclude(usage_id=None)
                .values("usage_id")
                .distinct()
                .count(),
                "charged": UsageRecord.objects.aggregate(sum=Sum("characters_charged"))["sum"] or 0,
                "used": sum(Counter.objects.values_list("characters_used", flat=True)),
                "open": UsageRecord.objects.filter(outcome="open").count(),
            }
        )
    )


if __name__ == "__main__":
    {"put": put, "show": show}[sys.argv[1]]()
