"""A living key is rotated or revoked behind a question; a revoked one stays so."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey
from tests.forms import send

LIST = "/admin/accounts/apikey/"


def page(key, verb):
    return f"{LIST}{key.pk}/{verb}/"


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_it_asks_before_it_acts(operator, api_key, verb):
    assert operator.get(page(api_key, verb)).status_code == 200
    api_key.refresh_from_db()
    assert api_key.is_alive
    assert ApiKey.objects.count() == 1


def test_it_rotates_once_with_a_grace_period(operator, api_key, raw_key):
    response = operator.post(page(api_key, "rotate"), {"grace": "24"})
    raw = re.search(r"vox_[0-9A-Za-z]{10}_[0-9A-Za-z]{42}", response.content.decode())[0]
    assert "no-store" in response.headers["cache-control"]
    assert ApiKey.objects.for_key(raw).rotated_from == api_key
    left = ApiKey.objects.for_key(raw_key).grace_until - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    operator.post(page(api_key, "rotate"), {"grace": "24"})
    assert ApiKey.objects.count() == 2


def test_it_revokes(operator, api_key):
    operator.post(page(api_key, "revoke"))
    api_key.refresh_from_db()
    assert not api_key.is_alive
    assert operator.post(page(api_key, "rotate"), {"grace": "24"}).status_code == 403
    assert (
        page(api_key, "rotate") not in operator.get(f"{LIST}{api_key.pk}/change/").content.decode()
    )


def test_it_revokes_many(operator, account, api_key):
    _, other = ApiKey.issue(account, "other")
    operator.post(LIST, {"action": "revoke_selected", "_selected_action": [api_key.pk, other.pk]})
    assert not any(key.is_alive for key in ApiKey.objects.all())


def test_it_writes_only_what_was_changed(operator, api_key):
    """So that a revocation or a use in the meantime is not written back."""
    form = {"name": "new name", "scopes": api_key.scopes}
    with CaptureQueriesContext(connection) as queries:
        send(operator, f"{LIST}{api_key.pk}/change/", form)
    (update,) = (q["sql"] for q in queries if q["sql"].startswith('UPDATE "accounts_apikey"'))
    assert '"name" = ' in update
    assert "revoked_at" not in update
    assert "last_used_at" not in update


def test_a_key_keeps_its_account_and_is_never_deleted(operator, api_key, charlie):
    from accounts.models import Account

    stranger = Account.objects.for_user(charlie)
    form = {"name": "x", "scopes": api_key.scopes, "account": stranger.pk}
    send(operator, f"{LIST}{api_key.pk}/change/", form)
    assert operator.post(f"{LIST}{api_key.pk}/delete/", {"post": "yes"}).status_code == 403
    kept = ApiKey.objects.get(pk=api_key.pk)
    assert kept.account == api_key.account
