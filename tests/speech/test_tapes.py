"""What was heard is kept where an account keeps audio, and nothing is left where it was written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from speech import history, tapes
from speech.models import HistoryItem
from speech.tapes import Tape
from tests.portal.conftest import spoken

RATE = 24_000


@pytest.fixture
def record(alice, account):
    account.history = "audio"
    account.save()
    return spoken(alice, account, "hello there")


@pytest.mark.django_db(transaction=True)
def test_a_tape_becomes_audio_of_the_history(record, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    tape = Tape(RATE)
    for _ in range(10):
        tape.write(np.full(RATE // 10, 0.25, np.float32))
    tape.keep(record).result(10)
    item = HistoryItem.objects.get(pk=record)
    assert item.read_audio()[:4] == b"fLaC"
    assert not list((tmp_path / "tapes").iterdir())
    history.forget(HistoryItem.objects.all())


@pytest.mark.django_db(transaction=True)
def test_what_was_forgotten_meanwhile_is_not_kept(record, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    tape = Tape(RATE)
    tape.write(np.full(RATE, 0.25, np.float32))
    history.forget(HistoryItem.objects.all())
    tape.keep(record).result(10)
    assert not HistoryItem.objects.exists()
    assert not list((tmp_path / "tapes").iterdir())


@pytest.mark.django_db(transaction=True)
def test_a_disk_that_fails_costs_the_recording_alone(record, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    tape = Tape(RATE)
    (tmp_path / "tapes").rmdir()
    (tmp_path / "tapes").write_text("in the way")
    tape.write(np.zeros(RATE, np.float32))
    tape.keep(record).result(10)
    assert HistoryItem.objects.get(pk=record).audio_key == ""


def test_what_a_process_that_died_left_is_swept_also_while_others_are_stored(
    settings, tmp_path, monkeypatch
):
    settings.DATA_DIR = tmp_path
    (tmp_path / "tapes").mkdir()
    paths = [tmp_path / "tapes" / name for name in ("gone.s16", "old.s16", "new.s16")]
    for path in paths[1:]:
        path.write_bytes(b"12")
    os.utime(paths[1], (0, 0))
    # One is stored, and removed, between being listed and being looked at.
    monkeypatch.setattr(Path, "glob", lambda *_: iter(paths))
    tapes.sweep()
    assert [path.exists() for path in paths] == [False, False, True]
