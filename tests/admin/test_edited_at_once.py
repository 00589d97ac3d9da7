"""Two operators at one form: the second is told what the first changed, and writes nothing over
it; what is counted meanwhile is no field of any form."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from accounts.models import Account, ApiKey, AuditEntry
from speech.models import Notice, SpeechModel
from tests.admin.test_audit_log import account_form
from tests.forms import seen_on

TOLD = "This was changed meanwhile, and is shown as it is now. Please look again."


def change_page(row):
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def test_a_quota_that_another_operator_has_just_set_stays(operator, account):
    page = change_page(account)
    opened = account_form(account, seen=seen_on(operator, page))
    Account.objects.update(monthly_characters=5000)
    answer = operator.post(page, opened | {"monthly_characters": "9", "default_voice": "nova"})
    form = answer.context["adminform"].form
    assert form.errors == {"monthly_characters": [TOLD]}
    assert TOLD in answer.content.decode()
    assert (form["monthly_characters"].value(), form["default_voice"].value()) == (5000, "nova")
    account.refresh_from_db()
    assert (account.monthly_characters, account.default_voice) == (5000, "")
    assert not AuditEntry.objects.filter(action="account.change").exists()
    seen = form["seen"].value()
    again = {"monthly_characters": "9", "default_voice": "nova", "seen": seen}
    assert operator.post(page, opened | again).status_code == 302
    account.refresh_from_db()
    assert (account.monthly_characters, account.default_voice) == (9, "nova")


def test_the_limits_of_a_key_stay_and_so_does_what_it_used(operator, api_key):
    page = change_page(api_key)
    opened = {"name": "renamed", "scopes": api_key.scopes, "seen": seen_on(operator, page)}
    api_key.touch()
    api_key.account.counter()
    assert operator.post(page, opened).status_code == 302
    assert ApiKey.objects.get().last_used_at == api_key.last_used_at
    opened["seen"] = seen_on(operator, page)
    ApiKey.objects.update(parallel_streams=2, allowed_voices=["nova"])
    errors = operator.post(page, opened).context["adminform"].form.errors
    assert errors == {"parallel_streams": [TOLD], "allowed_voices": [TOLD]}


def test_powers_that_were_just_taken_are_not_given_back(operator, bob):
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    page = change_page(bob)
    joined = bob.date_joined
    opened = {"username": "bob", "is_active": "on", "is_staff": "on"} | {
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "seen": seen_on(operator, page),
    }
    User.objects.filter(pk=bob.pk).update(is_staff=False)
    errors = operator.post(page, opened).context["adminform"].form.errors
    assert errors == {"is_staff": [TOLD]}
    assert not User.objects.get(pk=bob.pk).is_staff


@pytest.mark.parametrize("row", ["notice", "model"])
def test_so_it_is_with_what_else_operators_write(operator, row):
    made = {
        "notice": lambda: Notice.objects.create(text="Noon"),
        "model": lambda: SpeechModel.objects.get_or_create(name="tts-1")[0],
    }[row]()
    assert seen_on(operator, change_page(made))
    answer = operator.post(change_page(made), {"text": "Never", "name": "other"})
    assert "This form is too old" in answer.content.decode()
