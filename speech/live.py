"""What is being spoken in this process now, for those who operate it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

from django.db.models import Count

from accounts.models import Account
from speech.api.native import engine_object
from speech.job_models import ACTIVE, Job
from speech.models import ModelDownload, UsageRecord
from speech.runtime import runtime
from speech.synthesis import Synthesis, under_way

_GPU = (
    "--query-gpu=name,utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
)
_ERRORS = 10
_ACCOUNTS = 20


def state_of_affairs() -> dict[str, Any]:
    """The engine, its machine, its streams, its downloads and its last errors. Asks the database
    and the disk: not on the loop."""
    streams = [_stream(synthesis) for synthesis in under_way()]
    return {
        "object": "operations",
        "engine": engine_object(runtime.stats()),
        "machine": _machine(),
        "streams": sorted(streams, key=lambda stream: -stream["age"])[:100],
        "accounts": _queue(),
        "downloads": [
            {"name": one.name, "done": one.done, "size": one.size, "state": one.state}
            for one in ModelDownload.objects.filter(state=ModelDownload.State.RUNNING)[:5]
        ],
        "errors": [
            {
                "at": int(record.created_at.timestamp()),
                "request": record.request_id,
                "code": record.error_code,
                "voice": record.voice,
            }
            for record in UsageRecord.objects.filter(outcome="server_failed").order_by(
                "-created_at"
            )[:_ERRORS]
        ],
    }


def _queue() -> list[dict[str, Any]]:
    """Whose streams are heard here, whose wait, and whose long texts have not ended anywhere."""
    speaking: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    for synthesis in under_way():
        (speaking if synthesis.audio_ms else waiting)[synthesis.caller.account.pk] += 1
    active = Job.objects.filter(state__in=ACTIVE).order_by().values_list("account")
    jobs = Counter(dict(active.annotate(count=Count("pk"))))
    most = (speaking + waiting + jobs).most_common(_ACCOUNTS)
    names = dict(Account.objects.filter(pk__in=dict(most)).values_list("pk", "name"))
    return [
        {
            "account": names.get(pk, ""),
            "speaking": speaking[pk],
            "waiting": waiting[pk],
            "jobs": jobs[pk],
        }
        for pk, _ in most
    ]


def _stream(synthesis: Synthesis) -> dict[str, Any]:
    age = monotonic() - synthesis.began
    seconds = synthesis.audio_ms / 1000
    return {
        "id": synthesis.record_id,
        "account": synthesis.caller.account.name,
        "face": synthesis.caller.face,
        "voice": synthesis.plan.voice,
        "characters": synthesis.plan.characters,
        "age": round(age, 1),
        "audio": round(seconds, 1),
        "speed": round(seconds / age, 2) if age > 0 else 0.0,
    }


def stop_stream(record_id: int, reason: Exception) -> bool:
    """End a stream of this process; its reader gets ``reason``."""
    for synthesis in under_way():
        if synthesis.record_id == record_id:
            synthesis.stop(reason)
            return True
    return False


def _machine() -> dict[str, Any]:
    memory = (
        dict(
            line.split(":", 1)
            for line in Path("/proc/meminfo").read_text().splitlines()
            if ":" in line
        )
        if Path("/proc/meminfo").exists()
        else {}
    )
    kib = {name: int(value.split()[0]) for name, value in memory.items()}
    return {
        "load": round(os.getloadavg()[0], 2),
        "cpus": os.cpu_count(),
        "memory_used": (kib.get("MemTotal", 0) - kib.get("MemAvailable", 0)) * 1024,
        "memory_total": kib.get("MemTotal", 0) * 1024,
        "gpus": _gpus(),
    }


def _gpus() -> list[dict[str, Any]]:
    """What nvidia-smi says, where there is one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603 - the driver's own program, with our words
            [program, *_GPU], capture_output=True, text=True, timeout=3, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    fields = [[word.strip() for word in line.split(",")] for line in done.stdout.splitlines()]
    return [
        {"name": name, "load": load, "memory_used": used, "memory_total": total}
        for name, load, used, total in (row for row in fields if len(row) == 4)
    ]
