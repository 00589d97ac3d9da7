"""Who sits at the admin: an operator who may everything, and staff who may what they were given."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture(scope="session", autouse=True)
def static_root():
    """Whitenoise warns of a place that is not there; what would lie in it is not asked for."""
    settings.STATIC_ROOT.mkdir(exist_ok=True)


@pytest.fixture
def operator_user(db):
    return User.objects.create_superuser("operator", password="operator's password")


@pytest.fixture
def operator(operator_user):
    client = Client()
    client.force_login(operator_user)
    return client


@pytest.fixture
def staff(db):
    """A client of somebody who is staff and has these permissions: ``staff("view_account")``."""

    def sign_in(*codenames):
        user = User.objects.create_user("clerk", password="clerk's password", is_staff=True)
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(codenames)
        user.user_permissions.set(permissions)
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def record(account):
    """Write a closed usage record as the ledger does; keywords change what was spoken."""
    from datetime import timedelta

    from speech import usage

    def write(outcome="completed", characters=10, audio_ms=2000, ttfa_ms=50.0, **changes):
        fields = {
            "request_id": f"req_{uuid.uuid4().hex}",
            "account_id": account.pk,
            "user_id": None,
            "key_id": None,
            "user_agent": "test",
            "face": "openai",
            "voice": "alloy",
            "model": "tts-1",
            "model_used": "tone",
            "engine": "tone",
            "response_format": "mp3",
            "stream_format": "audio",
            "characters": characters,
            "ceiling_ms": 60_000,
            "text_hash": "0" * 64,
            "settings": {},
            "seed": None,
        } | changes
        record_id = usage.open_record(usage.Entry(**fields), uuid.uuid4().hex, timedelta(minutes=1))
        done = usage.Outcome(
            outcome, characters_charged=characters, audio_ms=audio_ms, ttfa_ms=ttfa_ms, wall_ms=100
        )
        assert usage.close_record(record_id, done)
        return record_id

    return write
