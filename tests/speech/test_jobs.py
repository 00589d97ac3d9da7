"""The background runner: before anything is served what was erased is erased again, and what was
interrupted is finished while the server runs."""

from __future__ import annotations

import time

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError

from accounts.audit import Actor
from speech.jobs import Runner
from tests.voices.archives import archive, table
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from tests.voices.recordings import clip
from voices.imports import begin
from voices.models import Erasure, Voice, VoiceImport

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.of_command("test")


@pytest.fixture
def runner(transactional_db):
    runner = Runner(pause=0.05)
    yield runner
    runner.stop()


def test_it_erases_again_before_anything_is_served(voice, runner):
    voice.erase(ACTOR)
    Voice.objects.update(state="ready", name="back", name_key="back")
    runner.start()
    assert Voice.objects.owned().get().state == "erased"


def test_it_finishes_what_was_interrupted(voice, runner, monkeypatch):
    def gone(*args):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "delete", gone)
        voice.erase(ACTOR)
        runner.start()
        time.sleep(0.2)
        assert Erasure.objects.get().finished_at is None
    deadline = time.monotonic() + 5
    while Erasure.objects.get().finished_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_starts_without_a_database_and_makes_up_for_it(voice, runner, monkeypatch):
    voice.erase(ACTOR)
    Voice.objects.update(state="ready", name="back", name_key="back")
    with monkeypatch.context() as broken:
        broken.setattr("speech.jobs.reapply", _fail)
        runner.start()
    deadline = time.monotonic() + 5
    while Voice.objects.owned().get().state != "erased":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_import_that_has_to_wait_keeps_nothing_else_from_being_done(
    account, origin, runner, settings, caplog
):
    settings.TRANSCRIBER = "/no/such/program"
    line = "a.wav,Alice,She says these words and a few more here.,,,,"
    bundle = archive({"voices.csv": table(line), "a.wav": clip("wav", 3.0)})
    begin(account, bundle, origin, "The owners of these voices agree.")
    runner.start()
    deadline = time.monotonic() + 20
    while "/no/such/program failed" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "a background job failed" not in caplog.text
    assert VoiceImport.objects.get().state == "running"
    settings.TRANSCRIBER = "none"
    while not Voice.objects.filter(name="Alice").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _fail():
    raise OperationalError("unable to open database file")


def test_what_fails_is_named_and_keeps_nothing_else_from_being_done(
    voice, runner, monkeypatch, caplog
):
    def gone(*args):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "delete", gone)
        voice.erase(ACTOR)

    def always_fails():
        raise RuntimeError("a chore")

    monkeypatch.setattr("speech.jobs.heard.forget_changed", always_fails)
    runner.start()
    deadline = time.monotonic() + 5
    while Erasure.objects.get().finished_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "always_fails failed" in caplog.text
