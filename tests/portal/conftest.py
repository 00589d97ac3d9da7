"""Pages as Django's client gets them: Alice, Bob and Charlie at their browsers."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client


@pytest.fixture(scope="session", autouse=True)
def static_root():
    """Whitenoise warns of a place that is not there; what would lie in it is not asked for."""
    settings.STATIC_ROOT.mkdir(exist_ok=True)


def browser_of(user):
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
