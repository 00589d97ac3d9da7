"""Staff may what their permissions say, whatever they send."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from accounts.models import Account, ApiKey, AuditEntry, Membership
from speech.models import SpeechModel, UsageRecord
from tests.forms import send

PAGES = {
    "account": "/admin/accounts/account/",
    "apikey": "/admin/accounts/apikey/",
    "user": "/admin/auth/user/",
    "group": "/admin/auth/group/",
    "speechmodel": "/admin/speech/speechmodel/",
    "usagerecord": "/admin/speech/usagerecord/",
    "auditentry": "/admin/accounts/auditentry/",
}


def snapshot():
    models = (Account, ApiKey, AuditEntry, Membership, SpeechModel, UsageRecord, User)
    rows = {model: list(model.objects.order_by("pk").values()) for model in models}
    for row in rows[User]:
        row.pop("last_login")
    return rows


@pytest.mark.parametrize("model", PAGES)
def test_who_may_only_look_changes_nothing(staff, model, account, api_key, record):
    record_id = record()
    client = staff(f"view_{model}")
    pk = {"account": account.pk, "apikey": api_key.pk, "usagerecord": record_id}.get(model, 1)
    before = snapshot()
    forged = {"name": "forged", "username": "forged", "voice": "forged", "account": account.pk}
    assert client.get(PAGES[model]).status_code == 200
    for path, form in {
        "add/": forged,
        f"{pk}/change/": forged,
        f"{pk}/delete/": {"post": "yes"},
        "": {"action": "delete_selected", "_selected_action": [pk], "post": "yes"},
    }.items():
        assert client.post(PAGES[model] + path, form).status_code == 403, path
    assert snapshot() == before


@pytest.mark.parametrize("path", ["{}/rotate/", "{}/revoke/", ""])
def test_who_may_only_look_at_keys_revokes_none(staff, api_key, path):
    client = staff("view_apikey")
    form = {"action": "revoke_selected", "_selected_action": [api_key.pk], "grace": "0"}
    response = client.post(PAGES["apikey"] + path.format(api_key.pk), form)
    assert response.status_code == 403
    assert ApiKey.objects.get().is_alive


@pytest.mark.parametrize("model", PAGES)
def test_without_permission_a_page_is_not_there(staff, model):
    client = staff()
    assert client.get(PAGES[model]).status_code == 403
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("path", ["export/", "charts/"])
def test_the_log_s_export_and_charts_want_its_permission(staff, path):
    assert staff("view_account").get(PAGES["usagerecord"] + path).status_code == 403


def test_an_inline_row_wants_its_own_permission(staff, account, charlie):
    client = staff("change_account")
    before = list(Membership.objects.values())
    form = {
        "name": account.name,
        "is_active": "on",
        "personal_of": account.personal_of_id,
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": charlie.pk,
        "memberships-0-role": "owner",
    }
    send(client, f"{PAGES['account']}{account.pk}/change/", form)
    assert list(Membership.objects.values()) == before


def test_nobody_changes_the_ledger(operator, record):
    record_id = record()
    before = snapshot()
    for path in ("add/", f"{record_id}/change/", f"{record_id}/delete/", ""):
        form = {"voice": "forged", "action": "delete_selected", "_selected_action": record_id}
        assert operator.post(PAGES["usagerecord"] + path, form).status_code == 403, path
    assert snapshot() == before


def test_who_may_change_users_gains_no_power(staff, operator_user):
    client = staff("change_user")
    clerk = User.objects.get(username="clerk")
    form = {"username": "clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    send(client, f"{PAGES['user']}{clerk.pk}/change/", form)
    clerk.refresh_from_db()
    assert not clerk.is_superuser
    taken_over = {"password1": "a new password 1", "password2": "a new password 1"}
    response = client.post(f"{PAGES['user']}{operator_user.pk}/password/", taken_over)
    assert response.status_code == 403
    assert User.objects.get(pk=operator_user.pk).check_password("operator's password")


def test_a_model_s_names_are_its_own(operator, models_to_ask_for):
    taken = SpeechModel.objects.get(name="tts-1")
    form = {
        "name": "mine",
        "aliases": taken.name,
        "inference_timesteps": "5",
        "cfg_value": "2",
        "owned_by": "me",
    }
    response = operator.post(f"{PAGES['speechmodel']}add/", form)
    assert "already" in response.content.decode()
    assert not SpeechModel.objects.filter(name="mine").exists()
