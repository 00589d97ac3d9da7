"""What a person asks for at their browsers is limited as what is asked for with a key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from accounts.exceptions import TooManyStreams
from accounts.models import PersonUse
from accounts.throttling import PersonRateThrottle
from tests.speech.bookkeeping import DONE, read, settle
from tests.speech.conftest import entry, key, ledger  # noqa: F401  # pytest finds them here

SPEAKING = (
    *("/api/studio/speech", "/api/speech", "/api/voices/alloy/preview"),
    *("/api/voices/designs", "/api/voices/designs/none/candidates"),
)


@pytest.fixture
def asks(transactional_db, alice, account, monkeypatch, settings):
    """Alice's browser, in a minute in which she may ask twice."""
    monkeypatch.setattr(PersonRateThrottle, "timer", staticmethod(lambda: 600.0))
    settings.PERSON_REQUESTS_PER_MINUTE = 2
    browser = AsyncClient()
    browser.force_login(alice)
    return async_to_sync(browser.post)


@pytest.mark.parametrize("path", SPEAKING)
def test_a_person_asks_only_so_often_for_speech(asks, path):
    for _ in range(2):
        assert asks(path, content_type="application/json", data="{").status_code != 429
    refused = asks(path, content_type="application/json", data="{")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert refused.headers["x-ratelimit-limit-requests"] == "2"


def test_what_speaks_nothing_is_not_counted(asks):
    for _ in range(3):
        asks("/api/jobs", content_type="application/json", data="{")
    assert not PersonUse.objects.exists()


def streams_of(person):
    use = PersonUse.objects.filter(user=person)
    return read(lambda: list(use.values_list("open_streams", flat=True)))


@pytest.fixture
def by_hand(entry, settings):  # noqa: F811
    settings.PERSON_STREAMS = 2
    return replace(entry, key_id=None, face="portal")


@pytest.mark.django_db(transaction=True)
async def test_a_person_has_only_so_many_streams_at_once(ledger, by_hand, alice):  # noqa: F811
    first, _ = [await ledger.open(by_hand) for _ in range(2)]
    with pytest.raises(TooManyStreams):
        await ledger.open(by_hand)
    assert await streams_of(alice) == [2]
    await settle(ledger, first, DONE)
    await settle(ledger, first, DONE)
    assert await streams_of(alice) == [1]
    await ledger.open(by_hand)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("face", ["job", "measure"])
async def test_what_nobody_listens_to_takes_no_stream_of_a_person(
    ledger,  # noqa: F811
    by_hand,
    alice,
    face,
):
    opened = [await ledger.open(replace(by_hand, face=face)) for _ in range(3)]
    await settle(ledger, opened[0], DONE)
    assert await streams_of(alice) == []


@pytest.mark.django_db(transaction=True)
async def test_a_stream_that_was_open_before_they_were_counted_ends_well(
    ledger,  # noqa: F811
    by_hand,
    alice,
):
    opened = await ledger.open(by_hand)
    await read(lambda: PersonUse.objects.filter(user=alice).update(open_streams=0))
    await settle(ledger, opened, DONE)
    assert await streams_of(alice) == [0]
