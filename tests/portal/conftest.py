"""Pages as Django's client gets them: Alice, Bob and Charlie at their browsers."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.models import Account
from speech import usage
from speech.history import keep_of
from tests.voices.conftest import (  # pytest finds them here
    consent,  # noqa: F401
    make_voice,  # noqa: F401
    origin,  # noqa: F401
    sample,  # noqa: F401
    tombstones_file,  # noqa: F401
    voice,  # noqa: F401
)


@pytest.fixture(scope="session", autouse=True)
def static_root():
    """Whitenoise warns of a place that is not there; what would lie in it is not asked for."""
    settings.STATIC_ROOT.mkdir(exist_ok=True)


@pytest.fixture(autouse=True)
def nobody_tried_before():
    """How often somebody tried to sign in is counted in the cache, which tests share."""
    cache.clear()


def browser_of(user):
    Account.objects.for_user(user)  # as signing in does
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def at_alice(alice, account):
    """Alice's browser; she is signed in and acts for her own account."""
    return browser_of(alice)


@pytest.fixture
def at_bob(bob):
    """Bob's; he acts for his own account until he chooses Alice's."""
    return browser_of(bob)


@pytest.fixture
def at_charlie(charlie):
    return browser_of(charlie)


def spoken(user, account, text, outcome="completed", **changes):
    """What a person had spoken, as the ledger writes it; the record's number."""
    keep = keep_of(account, user.pk, text, None)
    entry = usage.Entry(
        request_id=f"req_{uuid.uuid4().hex}",
        account_id=account.pk,
        user_id=user.pk,
        **{
            "key_id": None,
            "user_agent": "test",
            "face": "portal",
            "voice": "alloy",
            "model": "tts-1",
            "model_used": "tone",
            "engine": "tone",
            "response_format": "mp3",
            "stream_format": "sse",
            "characters": len(text),
            "ceiling_ms": 60_000,
            "text_hash": "0" * 64,
            "settings": {"speed": 1.5, "language": "en"},
            "seed": 7,
            "keep": keep,
        }
        | changes,
    )
    record = usage.open_record(entry, uuid.uuid4().hex, timedelta(minutes=1))
    closed = usage.Outcome(outcome, characters_charged=len(text), audio_ms=1500, ttfa_ms=40)
    usage.close_record(record, closed)
    return record
