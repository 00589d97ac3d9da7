"""Accounts: personal, shared, the default one, and who is a member of which."""

from __future__ import annotations

import runpy

import pytest
from django.db import IntegrityError

from accounts.models import Account, Membership
from tests.live import ROOT


def test_everybody_gets_a_personal_account_when_it_is_first_asked_for(alice, charlie):
    account = Account.objects.for_user(alice)
    assert account == Account.objects.for_user(alice)
    assert account != Account.objects.for_user(charlie)
    assert account.memberships.get().role == Membership.Role.OWNER


def test_a_superuser_gets_one_as_well(db, django_user_model):
    root = django_user_model.objects.create_superuser("root", password="root's password")
    assert Account.objects.for_user(root).personal_of == root


def test_several_people_share_an_account(account, alice, bob, charlie):
    assert set(account.members.all()) == {alice, bob}
    assert account in bob.accounts.all()
    assert account not in charlie.accounts.all()


def test_nobody_is_a_member_twice(account, bob):
    with pytest.raises(IntegrityError):
        Membership.objects.create(user=bob, account=account)


def test_the_default_account_is_one(db):
    assert Account.objects.default() == Account.objects.default()
    assert Account.objects.filter(name="default").count() == 1


def test_a_user_called_default_does_not_get_the_default_account(db, django_user_model):
    shared = Account.objects.default()
    user = django_user_model.objects.create_user("default")
    assert Account.objects.for_user(user) != shared


def test_an_account_is_closed_when_it_or_its_person_is_switched_off(account, alice):
    assert account.is_open
    alice.is_active = False
    alice.save()
    assert not Account.objects.get(pk=account.pk).is_open
    shared = Account.objects.default()
    assert shared.is_open
    shared.is_active = False
    assert not shared.is_open


def test_a_superusers_own_account_has_no_limit_to_begin_with(db, django_user_model, settings):
    settings.NEW_ACCOUNT_LIMITS = {"monthly_characters": 500, "monthly_seconds": 60}
    root = django_user_model.objects.create_superuser("root")
    assert Account.objects.for_user(root).monthly_characters is None


@pytest.mark.parametrize(
    ("environment", "characters"),
    [
        ({}, None),
        ({"SIGN_UP": "open"}, 100_000),
        ({"SIGN_UP": "open", "NEW_ACCOUNT_CHARACTERS": "0"}, None),
        ({"NEW_ACCOUNT_CHARACTERS": "7"}, 7),
    ],
)
def test_strangers_do_not_begin_without_a_limit(monkeypatch, tmp_path, environment, characters):
    for name, value in {"DATA_DIR": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    read = runpy.run_path(str(ROOT / "voxplatform" / "settings.py"))
    assert read["NEW_ACCOUNT_LIMITS"]["monthly_characters"] == characters
