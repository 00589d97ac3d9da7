"""Jobs in a database of their own, without an engine."""

from __future__ import annotations

import time
from contextlib import contextmanager

import numpy as np
import pytest
from django.core.files.storage import Storage, default_storage

from speech.documents import read_text
from speech.engine.types import EngineState
from speech.job_models import Job
from speech.ledger import ledger
from speech.longform.submission import JobRequest, submit
from speech.requests import Caller
from speech.runtime import runtime

TEXT = "Chapter 1\n\nIt was late. Nobody spoke.\n\nChapter 2\n\nThen it was morning."


@pytest.fixture
def make_job(account):
    def make(text=TEXT, *, start=True, owner=account, **request):
        caller = Caller(owner, "job", "test")
        request.setdefault("voice", "nova")
        return submit(read_text(text, 100_000), JobRequest(**request), caller, start=start)

    return make


@pytest.fixture
def job(make_job):
    return make_job()


@pytest.fixture
def claim():
    """Claim as a runner does; returns the job as that runner holds it."""
    from datetime import timedelta

    def claim(owner="me", seconds=30, busy=()):
        return Job.objects.claim(owner, timedelta(seconds=seconds), busy)

    return claim


@pytest.fixture
def start_engine(transactional_db, settings, monkeypatch):
    """Start the tone engine in a child of this process, with these settings, and its ledger."""

    def start(**config):
        settings.ENGINE_CONFIG = config
        monkeypatch.setattr(runtime, "_setting", "tone")
        ledger().start()
        runtime.start()
        deadline = time.monotonic() + 20
        while runtime.stats().state is not EngineState.READY:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    yield start
    runtime.stop()
    ledger().stop()


def notes(seconds=1.0, rate=24_000, pitch=440.0, level=0.1):
    at = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * pitch * at)).astype(np.float32)


class Down(Storage):
    """Nothing can be read, stored, listed or deleted."""

    def _gone(self, *_, **__):
        raise OSError(5, "Input/output error")

    _open = _save = listdir = delete = size = exists = _gone


@contextmanager
def storage_of(storage):
    """It is the storage meanwhile."""
    with pytest.MonkeyPatch.context() as replaced:
        bool(default_storage.exists)  # it is there to be replaced
        replaced.setattr(default_storage, "_wrapped", storage)
        yield


def storage_down():
    """The storage is down meanwhile."""
    return storage_of(Down())
