"""Measuring the engine: three rows, or one error and nobody who speaks on."""

from __future__ import annotations

import asyncio

import pytest

from accounts.exceptions import QuotaExceeded
from speech import measuring
from speech.engine.errors import SynthesisFailed
from speech.operations import EngineMeasurement
from speech.synthesis import under_way
from tests.longform.conftest import start_engine  # noqa: F401  # pytest finds it here

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_measured_with_one_four_and_eight(start_engine, account, alice):  # noqa: F811
    start_engine(speed=200)
    rows = asyncio.run(measuring.measure(account, alice.pk))
    assert [(row.clients, row.requests) for row in rows] == [(1, 2), (4, 8), (8, 16)]
    assert all(row.rtf > 0 and row.audio_per_second > 0 for row in rows)


@pytest.mark.slow
def test_when_one_fails_the_others_speak_on_no_longer(start_engine, account, alice):  # noqa: F811
    account.monthly_characters = 5 * len(measuring.TEXT)
    account.save()
    start_engine(speed=5)

    async def measure():
        with pytest.raises(QuotaExceeded):
            await measuring.measure(account, alice.pk)
        return under_way()

    assert asyncio.run(measure()) == []


def test_where_nothing_is_heard_nothing_is_measured(account, alice):
    silent = [measuring._Heard(ttfa=0.1, wall=0.2, audio=0.0)]
    with pytest.raises(SynthesisFailed):
        measuring._keep(1, silent, 0.2, alice.pk)
    assert not EngineMeasurement.objects.exists()
