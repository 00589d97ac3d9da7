"""``manage.py createapikey``: whose key it issues, with which scopes; prints nothing else."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, ApiKey


def create(capsys, *arguments):
    call_command("createapikey", *arguments)
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_it_prints_the_key_alone(db, capsys):
    output = create(capsys, "laptop")
    assert output == output.strip() + "\n"
    assert ApiKey.objects.for_key(output.strip()).name == "laptop"


def test_without_a_superuser_the_key_belongs_to_the_default_account(db, capsys):
    for name in ("one", "two"):
        assert ApiKey.objects.for_key(create(capsys, name).strip()).account.name == "default"
    assert Account.objects.count() == 1


def test_it_belongs_to_the_first_superuser(db, capsys, django_user_model):
    django_user_model.objects.create_user("plain")
    first = django_user_model.objects.create_superuser("first")
    django_user_model.objects.create_superuser("second")
    key = ApiKey.objects.for_key(create(capsys, "laptop").strip())
    assert key.account == Account.objects.for_user(first)
    assert key.created_by == first


def test_it_belongs_to_whom_it_is_told(alice, capsys):
    key = ApiKey.objects.for_key(create(capsys, "laptop", "--user", "alice").strip())
    assert key.account == Account.objects.for_user(alice)


def test_it_has_the_scopes_it_is_told(db, capsys):
    output = create(capsys, "monitoring", "--scope", "metrics", "--scope", "engine")
    assert ApiKey.objects.for_key(output.strip()).scopes == ["metrics", "engine"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["x", "--user", "nobody"], "nobody"),
        (["x", "--scope", "root"], "--scope"),
        (["", "--scope", "speech"], "name: "),
        (["x" * 500], "name: "),
    ],
)
def test_it_says_what_is_wrong_and_issues_nothing(db, wrong, named):
    with pytest.raises(CommandError, match=named):
        call_command("createapikey", *wrong)
    assert not ApiKey.objects.exists()
