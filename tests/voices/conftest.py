"""A checked sample, a consent and a voice of Alice's; Charlie has an account of his own."""

from __future__ import annotations

import functools

import pytest

from tests.voices.recordings import RATE, speech
from voices.samples import Cut, prepare


@functools.cache
def prepared(seconds=5.0, cut=Cut.BEST):
    return prepare(speech(seconds), RATE, cut)


@pytest.fixture(autouse=True)
def tombstones_file(settings, tmp_path):
    settings.TOMBSTONES_FILE = tmp_path / "tombstones.jsonl"
    return settings.TOMBSTONES_FILE


def kept_take(model):
    """What ``model`` has made of alloy, with the seed 7."""
    from voices.models import BuiltInTake
    from voices.presets import PRESETS

    BuiltInTake.objects.want_all(model)
    take = BuiltInTake.objects.get(preset="alloy", model=model)
    assert take.claim("here") and take.keep("here", prepared(), PRESETS["alloy"].sentence, 7)
    take.refresh_from_db()
    return take


@pytest.fixture
def alloy(db):
    """A built-in voice."""
    from voices.models import Voice

    return Voice.objects.get(public_id="alloy")


@pytest.fixture
def sample():
    return prepared()


@pytest.fixture
def origin(alice):
    from accounts.audit import Actor
    from voices.models import Origin

    return Origin(Actor.of_user(alice), user=alice)


@pytest.fixture
def consent(account, origin):
    from voices.models import VoiceConsent

    return VoiceConsent.attest(account, "Alice says that this is her own voice.", origin)


@pytest.fixture
def make_voice(account, origin, consent, sample):
    """Make a voice, Alice's unless told otherwise."""
    from voices.models import Voice

    def make(name="Alice reads", owner=None, **fields):
        fields.setdefault("consent", consent)
        return Voice.clone(owner or account, name, sample, origin=origin, **fields)

    return make


@pytest.fixture
def voice(make_voice):
    return make_voice()


@pytest.fixture
def charlies(charlie):
    """Charlie's account."""
    from accounts.models import Account

    return Account.objects.for_user(charlie)
