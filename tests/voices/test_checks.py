"""The start-up checks of voices: settings that mean nothing, and consent that is little."""

from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks

from accounts.models import Account


def found(tag, **how):
    return {
        message.id for message in run_checks(tags=[tag], **how) if message.id.startswith("voices.")
    }


@pytest.mark.parametrize(
    ("name", "finding"), [("REQUIRE_CONSENT", "voices.E001"), ("VOICE_CHECKS", "voices.E002")]
)
def test_a_word_that_means_nothing_is_refused(settings, name, finding):
    assert found(Tags.security) == set()
    setattr(settings, name, "sometimes")
    assert found(Tags.security) == {finding}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("off", {"voices.W001"}),
        ("attestation", {"voices.W001"}),
        ("recording", set()),
        ("recording+review", set()),
    ],
)
def test_with_several_accounts_a_word_is_little(settings, policy, expected):
    settings.REQUIRE_CONSENT = policy
    Account.objects.create(name="one")
    assert found(Tags.database, databases=["default"]) == set()
    Account.objects.create(name="two")
    assert found(Tags.database, databases=["default"]) == expected
