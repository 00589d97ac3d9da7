"""A database that has no room left, at whichever page it ends: what was asked for happens or does
not, in the storage as in the rows, and when there is room again it is done like any other."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.audit import AuditEntry
from speech.errors import describe
from tests.voices.conftest import prepared
from voices import storage
from voices.models import Erasure, UnclaimedObject, Voice, VoiceConsent, VoiceSample
from voices.samples import Cut

pytestmark = pytest.mark.django_db(transaction=True)
ENDS = 6
"""How many pages at which it ends are tried."""


@pytest.fixture
def room():
    """Lets the database grow by so many pages, and no more."""
    if connection.vendor != "sqlite":
        pytest.skip("its server's disk is another matter")

    def pragma(text):
        with connection.cursor() as cursor:
            return cursor.execute(f"PRAGMA {text}").fetchone()[0]

    # Pages that other tests' rows have left free would be room as well.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")

    def room(pages):
        pragma(f"max_page_count = {pragma('page_count') + pages}")

    yield room
    pragma("max_page_count = 4294967294")


def kept():
    """All that there is, in rows and in the storage."""
    models = (Voice, VoiceSample, VoiceConsent, Erasure, UnclaimedObject, AuditEntry)
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    return rows, stored("recordings")


def stored(folder):
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    inside = [name for one in folders for name in stored(f"{folder}/{one}")]
    return sorted([*(f"{folder}/{file}" for file in files), *inside])


def clone(account, origin, consent):
    about = {"description": "Calm. " * 80, "tags": ["t" * 40] * 20}
    return Voice.clone(account, f"Reader {uuid4()}", prepared(), consent, origin, **about)


def give(account, origin, consent):
    sample = prepared(12.0, Cut.ENDS)
    return VoiceConsent.record(account, sample, origin, name="Alice", language="en")


def attest(account, origin, consent):
    return VoiceConsent.attest(account, "It is her own voice, says she. " * 60, origin)


def refused(act, *arguments):
    """Whether there was no room for it; then everything is as it was."""
    before = kept()
    try:
        act(*arguments)
    except OperationalError as error:
        failure = describe(error)
        assert (failure.status, failure.code) == (503, "database_unavailable")
        assert failure.retry_after
        storage.sweep()
        assert kept() == before
        return True
    return False


@pytest.mark.parametrize("act", [clone, give, attest])
def test_what_is_made_is_whole_or_not_there(room, account, origin, consent, act):
    made, before = 0, len(stored("recordings"))
    for pages in (0, *[1] * (ENDS - 1)):
        room(pages)
        while not refused(act, account, origin, consent):
            made += 1
            assert made < 60
    room(1000)
    assert not refused(act, account, origin, consent)
    assert not UnclaimedObject.objects.exists()
    assert len(stored("recordings")) - before == (made + 1) * (act is not attest)


def test_what_is_erased_is_gone_or_as_it_was(room, account, origin, consent):
    before = stored("recordings")
    voices = [clone(account, origin, consent) for _ in range(4)]
    refusals = 0
    for voice in voices:
        room(0)
        with suppress(OperationalError):
            while True:
                Erasure.objects.create(kind="design", finished_at=timezone.now())
        if refused(voice.erase, origin.actor):
            refusals += 1
            assert Voice.objects.get(pk=voice.pk).sample.wav()
            room(1000)
            assert not refused(voice.erase, origin.actor)
        assert Voice.objects.get(pk=voice.pk).state == "erased"
    assert refusals
    assert stored("recordings") == before
    assert not Erasure.objects.filter(finished_at=None).exists()
