"""Processes that write one audit log at the same time.

Run as a script with DATA_DIR or DATABASE_URL set; prints one line of JSON.
"""

# ruff: noqa: E402  (Django must be set up before models are imported)
from __future__ import annotations

import json
import multiprocessing
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")

import django

django.setup()

from django.db import connection, transaction

from accounts import audit
from accounts.models import Account, AuditEntry

PROCESSES, CHANGES = 2, 60


def writer(account: Account, number: int, start) -> None:
    """Every third change is taken back, and its entry with it."""
    start.wait()
    actor = audit.Actor.of_command(f"writer {number}")
    for change in range(CHANGES):
        with transaction.atomic():
            audit.record("account.change", actor, account, account, {"change": change})
            transaction.set_rollback(change % 3 == 0)
    connection.close()


def race() -> None:
    account = Account.objects.default()
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # its sockets must not be shared with the children
    forked = multiprocessing.get_context("fork")
    start = forked.Event()
    writers = [
        forked.Process(target=writer, args=(account, number, start)) for number in range(PROCESSES)
    ]
    for process in writers:
        process.start()
    start.set()
    for process in writers:
        process.join()
    result = {
        "failed": [process.exitcode for process in writers if process.exitcode],
        "numbers": list(AuditEntry.objects.order_by("number").values_list("number", flat=True)),
        "writers": len(set(AuditEntry.objects.values_list("actor_name", flat=True))),
        "head": audit.verify().number,
    }
    if connection.vendor == "postgresql":
        connection.close_pool()
    print(json.dumps(result))


if __name__ == "__main__":
    {"race": race}[sys.argv[1]]()
