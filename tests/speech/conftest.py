"""A ledger with short intervals, and what it is asked to write down."""

from __future__ import annotations

import pytest

from accounts.models import ApiKey
from speech.ledger import Entry, Ledger


@pytest.fixture
def ledger(transactional_db):
    ledger = Ledger(renew_seconds=0.1, sweep_seconds=0.1, retry_seconds=0.05)
    ledger.start()
    yield ledger
    ledger.stop()


@pytest.fixture
def key(account):
    return ApiKey.issue(account, "limited", monthly_characters=100, parallel_streams=2)[1]


@pytest.fixture
def entry(account, alice, key):
    return Entry(
        request_id="req_1", account_id=account.pk, user_id=alice.pk, key_id=key.pk,
        user_agent="curl", face="openai", voice="alloy", model="tts-1", model_used="tone",
        engine="tone", response_format="mp3", stream_format="audio", characters=10,
        ceiling_ms=1000, text_hash="0" * 64, settings={"speed": 1.5}, seed=None,
    )  # fmt: skip


@pytest.fixture
def brief_ledger(transactional_db):
    """Its leases run out soon after nobody renews them."""
    ledger = Ledger(lease_seconds=0.5, renew_seconds=0.1, sweep_seconds=0.1, retry_seconds=0.05)
    ledger.start()
    yield ledger
    ledger.stop()
