"""Fetches models in the background for the admin: a child process each, and a thread that listens.

The child (``python -m speech.hub``) keeps the transfer away from the threads that serve speech. Its
row in the database is what everybody sees; a row that was cancelled ends its child.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from speech.hub.errors import FetchError
from speech.hub.fetch import name_of
from speech.models import ModelDownload

log = structlog.get_logger("speech.downloads")
State = ModelDownload.State
# Seconds between attempts to write a row while the database is busy or away.
RETRIES = (0.5, 1.0, 2.0, 4.0, 8.0)
NO_WORD = "The process that fetched it ended without a word; what was fetched is kept."


def start(model: str, hub: str, user: Any) -> ModelDownload:
    """Fetch ``model`` in the background. Raises FetchError when that is happening already."""
    download, _ = ModelDownload.objects.get_or_create(name=name_of(model))
    attempt = uuid4().hex
    about = {"model": model, "hub": hub, "started_by": user, "machine": platform.node()}
    if not download.begin(attempt, **about):
        raise FetchError(f"{download.name} is being fetched already.")
    download.refresh_from_db()
    # The thread must find the row, and the admin works in a transaction.
    transaction.on_commit(lambda: _fetch(download, attempt))
    return download


def _fetch(download: ModelDownload, attempt: str) -> None:
    process = _child(download.model, download.hub)
    name = f"download-{download.name}"
    threading.Thread(
        target=_follow, args=(process, download, attempt), name=name, daemon=True
    ).start()


def _child(model: str, hub: str) -> subprocess.Popen[str]:
    endpoint, token = settings.MODEL_HUBS[hub]
    process = subprocess.Popen(  # nothing of it comes from outside
        [sys.executable, "-m", "speech.hub"],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    job = {"model": model, "hub": hub, "models_dir": str(settings.MODELS_DIR)}
    # Not as arguments: those are for everybody on the machine to read.
    process.stdin.write(json.dumps(job | {"endpoint": endpoint, "token": token}) + "\n")
    process.stdin.flush()
    return process


def _follow(process: subprocess.Popen[str], download: ModelDownload, attempt: str) -> None:
    """Carry the child's words into the row until either ends."""
    word: dict[str, Any] = {}
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            word = json.loads(line)
            if not _written(lambda: download.hear(attempt, **_news(word))):  # noqa: B023
                process.terminate()
                return
    state = State.INSTALLED if "installed" in word else State.FAILED
    error = "" if "installed" in word else word.get("error", NO_WORD)
    _written(lambda: download.end(attempt, state, error, **_news(word)))
    log.info("model_download_ended", model=download.name, state=state.value, error=error)


def _news(word: dict[str, Any]) -> dict[str, int]:
    return {name: word[name] for name in ("size", "done") if name in word}


def _written(change: Callable[[], bool]) -> bool:
    """Do it once the database takes it; this thread keeps no connection in between."""
    for pause in RETRIES:
        try:
            return change()
        except (OperationalError, InterfaceError):
            log.warning("model_download_row_waits", exc_info=True)
            time.sleep(pause)
        finally:
            connection.close()
    return change()
