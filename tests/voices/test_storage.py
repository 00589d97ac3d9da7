"""The local store: random names, nothing half kept, whatever disk and process do; what was stored
and never owned is swept."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.audit import AuditEntry
from voices import storage
from voices.exceptions import InvalidVoiceField, StorageUnavailable
from voices.models import UnclaimedObject, Voice

pytestmark = pytest.mark.django_db
FAULTS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO}


def kept():
    return set(Path(default_storage.path("recordings")).rglob("*.wav"))


def filling_up(code):
    """A disk that takes a part, and then no more."""
    fdopen = os.fdopen

    def opened(descriptor, mode):
        file = fdopen(descriptor, mode, buffering=0)
        return Full(file, code)

    return opened


class Full:
    def __init__(self, file, code):
        self._file, self._code = file, code

    def write(self, data):
        self._file.write(data[: len(data) // 2])
        raise OSError(self._code, os.strerror(self._code))

    def close(self):
        self._file.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_disk_does_not_take_is_refused_and_leaves_nothing(monkeypatch, make_voice, fault):
    before, entries = kept(), AuditEntry.objects.count()
    with monkeypatch.context() as disk:
        disk.setattr(os, "fdopen", filling_up(FAULTS[fault]))
        with pytest.raises(StorageUnavailable):
            make_voice()
    assert kept() == before
    assert not Voice.objects.owned().exists()
    assert AuditEntry.objects.count() == entries
    make_voice()  # it recovers by itself
    assert len(kept()) == len(before) + 1


def test_what_the_rows_refuse_is_not_kept(make_voice):
    make_voice("Twice")
    before = kept()
    with pytest.raises(InvalidVoiceField):
        make_voice("Twice")
    assert kept() == before
    assert not UnclaimedObject.objects.exists()


def test_what_was_swept_before_its_rows_were_written_makes_no_voice(monkeypatch, consent):
    monkeypatch.setattr(storage, "_ABANDONED", timedelta(0))
    with pytest.raises(StorageUnavailable), storage.keeping(b"RIFF") as stored:
        assert storage.sweep() == 0
        type(consent).objects.filter(pk=consent.pk).update(name="written meanwhile")
    consent.refresh_from_db()
    assert consent.name == ""
    assert not default_storage.exists(stored.key)


def test_sweeping_leaves_what_is_owned_and_what_is_new(voice):
    UnclaimedObject.objects.create(key="recordings/xx/new.wav")
    assert storage.sweep() == 0
    assert UnclaimedObject.objects.count() == 1
    assert voice.sample.wav()


def test_its_file_is_the_platform_s_alone_and_its_name_tells_nothing(voice):
    path = Path(default_storage.path(voice.sample.object_key))
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    assert voice.public_id not in str(path)


def test_what_is_lent_is_swept_when_its_time_is_over(monkeypatch):
    key = storage.lend(ContentFile(b"RIFF"), "spoken", ".wav", timedelta(minutes=30))
    for passed, is_there in ((29, True), (31, False)):
        later = timezone.now() + timedelta(minutes=passed)
        with monkeypatch.context() as clock:
            clock.setattr(storage.timezone, "now", lambda later=later: later)
            assert storage.sweep() == 0
        assert default_storage.exists(key) == is_there
