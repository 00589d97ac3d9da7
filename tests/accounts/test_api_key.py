"""API keys as they are stored: found, refused, rotated, limited, and never readable again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import keys
from accounts.exceptions import InvalidKey, NotAllowed
from accounts.models import ApiKey, KeyUse

HOUR = timedelta(hours=1)


def test_it_finds_the_key_by_its_text(raw_key, api_key, account):
    found = ApiKey.objects.for_key(raw_key)
    assert found == api_key
    assert found.account == account


def test_it_stores_nothing_the_key_could_be_read_from(raw_key, api_key):
    row = ApiKey.objects.filter(pk=api_key.pk).values().get()
    stored = " ".join(str(value) for value in row.values()) + str(api_key) + repr(api_key)
    secret = raw_key.split("_")[2]
    assert raw_key not in stored
    assert secret[:36] not in stored
    assert api_key.last_four == raw_key[-4:]


def test_it_asks_no_database_about_a_bad_checksum(raw_key, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(InvalidKey):
        ApiKey.objects.for_key(raw_key[:-1] + ("0" if raw_key[-1] != "0" else "1"))


def test_it_asks_the_database_once_about_a_good_one(raw_key, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert ApiKey.objects.for_key(raw_key).account.is_open


def test_it_knows_no_key_that_was_never_issued(db):
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(keys.make_key())


def test_it_refuses_another_secret_under_the_same_public_id(raw_key):
    other = keys.make_key()
    head = f"vox_{keys.public_id(raw_key)}_{other.split('_')[2][:36]}"
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(head + keys._checksum(head))


def test_it_opens_for_a_key_made_under_an_older_pepper(raw_key, api_key, settings):
    settings.KEY_PEPPERS = ["a new pepper of sufficient length", *settings.KEY_PEPPERS]
    assert ApiKey.objects.for_key(raw_key) == api_key
    settings.KEY_PEPPERS = settings.KEY_PEPPERS[:1]
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(raw_key)


def test_a_revoked_key_is_refused_at_once_and_keeps_its_date(raw_key, api_key):
    api_key.revoke()
    revoked_at = api_key.revoked_at
    api_key.revoke()
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(raw_key)
    api_key.refresh_from_db()
    assert api_key.revoked_at == revoked_at


def test_an_expired_key_is_refused(account):
    raw, _ = ApiKey.issue(account, "short", expires_at=timezone.now() - HOUR)
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(raw)


def test_a_rotated_key_works_until_its_grace_is_over(raw_key, api_key):
    raw, successor = api_key.rotate(HOUR)
    assert ApiKey.objects.for_key(raw) == successor
    assert ApiKey.objects.for_key(raw_key) == api_key
    assert api_key.rotated_to == successor
    ApiKey.objects.filter(pk=api_key.pk).update(grace_until=timezone.now() - HOUR)
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(raw_key)


def test_a_successor_has_the_rights_and_the_limits_of_the_first(account):
    _, first = ApiKey.issue(
        account, "limited", scopes=["speech"], monthly_characters=100, requests_per_minute=5,
        parallel_streams=2, allowed_voices=["alloy"], allowed_networks=["10.0.0.0/8"],
    )  # fmt: skip
    _, second = first.rotate(HOUR)
    _, third = second.rotate(HOUR)
    for field in ("scopes", "monthly_characters", "requests_per_minute", "parallel_streams",
                  "allowed_voices", "allowed_networks", "account", "name"):  # fmt: skip
        assert getattr(third, field) == getattr(first, field), field


def test_rotating_does_not_refill_the_limits(account):
    _, first = ApiKey.issue(account, "limited", requests_per_minute=1)
    _, second = first.rotate(HOUR)
    _, third = second.rotate(HOUR)
    assert first.meter_id == second.meter_id == third.meter_id
    assert first.count_request(minute=1) == 1
    assert third.count_request(minute=1) is None
    assert KeyUse.objects.get(key=first).requests == 1


def test_it_notes_its_last_use_at_most_once_a_minute(api_key, django_assert_num_queries):
    now = timezone.now()
    api_key.touch(now)
    with django_assert_num_queries(0):
        api_key.touch(now + timedelta(seconds=59))
    same_key = ApiKey.objects.get(pk=api_key.pk)
    same_key.touch(now + timedelta(seconds=61))
    api_key.refresh_from_db()
    assert api_key.last_used_at == now + timedelta(seconds=61)


@pytest.mark.parametrize(
    ("networks", "address", "is_allowed"),
    [
        ([], "203.0.113.9", True),
        ([], "", True),
        (["203.0.113.0/24"], "203.0.113.9", True),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", True),
        (["203.0.113.0/24"], "198.51.100.1", False),
        (["203.0.113.0/24", "2001:db8::/32"], "2001:db8::1", True),
        (["203.0.113.0/24"], "2001:db8::1", False),
        (["203.0.113.0/24"], "", False),
        (["203.0.113.0/24"], "nonsense", False),
    ],
)
def test_it_is_good_in_its_networks_only(networks, address, is_allowed):
    key = ApiKey(allowed_networks=networks)
    if is_allowed:
        key.check_network(address)
    else:
        with pytest.raises(NotAllowed):
            key.check_network(address)


def test_it_names_the_field_that_is_not_allowed():
    key = ApiKey(allowed_voices=["alloy"], allowed_models=["tts-1"])
    key.check_voice("alloy")
    key.check_model("tts-1")
    with pytest.raises(NotAllowed) as voice:
        key.check_voice("nova")
    with pytest.raises(NotAllowed) as model:
        key.check_model("tts-1-hd")
    assert (voice.value.param, model.value.param) == ("voice", "model")


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": ["root"]}, {"scopes": []}, {"allowed_networks": ["10.0.0.0/99"]},
     {"allowed_voices": "alloy"}, {"allowed_models": [1]}, {"name": ""}],
)  # fmt: skip
def test_it_issues_no_key_with_nonsense_in_it(account, wrong):
    arguments = {"name": "wrong", **wrong}
    with pytest.raises(ValidationError):
        ApiKey.issue(account, **arguments)
    assert not ApiKey.objects.exists()
