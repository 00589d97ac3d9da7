"""What was heard is kept where an account keeps audio, and nothing is left where it was written."""

from __future__ import annotations

import numpy as np
import pytest

from speech import history
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
