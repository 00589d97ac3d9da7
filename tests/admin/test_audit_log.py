"""Whatever is written in the admin leaves one entry in the audit log, which nobody there alters."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User

from accounts.audit import Actor
from accounts.models import ApiKey, AuditEntry, Invitation
from speech.models import Notice
from tests.admin.test_issue_key import form_of
from tests.admin.test_usage_log import ODD_QUERIES
from tests.forms import send

LOG = "/admin/accounts/auditentry/"
ACCOUNTS = "/admin/accounts/account/"
KEYS = "/admin/accounts/apikey/"
USERS = "/admin/auth/user/"
NOON = "2026-01-02T12:00:00Z"


def account_form(account, **changes):
    return {
        "name": account.name,
        "is_active": "on",
        "personal_of": account.personal_of_id or "",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        **changes,
    }


def written_since(before):
    """Action, actor and details of what was added to the log."""
    return [
        (entry.action, entry.actor_name, json.loads(entry.details))
        for entry in AuditEntry.objects.filter(number__gt=before).order_by("number")
    ]


@pytest.fixture
def before(api_key):
    """The log's last number; the key exists."""
    return AuditEntry.objects.count()


def test_a_limit_and_a_deactivation_are_told_with_what_was_before(operator, account, before):
    form = account_form(account, is_active="", monthly_characters="5000")
    assert send(operator, f"{ACCOUNTS}{account.pk}/change/", form).status_code == 302
    changes = {"is_active": [True, False], "monthly_characters": [None, 5000]}
    assert written_since(before) == [("account.change", "operator", changes)]
    entry = AuditEntry.objects.last()
    assert (entry.account_id, entry.address) == (account.pk, "127.0.0.1")


def test_a_form_that_changes_nothing_tells_nothing(operator, account, before):
    send(operator, f"{ACCOUNTS}{account.pk}/change/", account_form(account))
    assert written_since(before) == []


def test_a_new_member_is_told(operator, account, charlie, before):
    row = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-0-user": charlie.pk,
        "memberships-0-role": "member",
    }
    send(operator, f"{ACCOUNTS}{account.pk}/change/", account_form(account, **row))
    added = {"membership": {"added": ["charlie / alice"]}}
    assert written_since(before) == [("account.change", "operator", added)]


def test_a_key_s_issue_change_rotation_and_revocation_are_told_once_each(
    operator, account, api_key, before
):
    operator.post(f"{KEYS}add/", form_of(operator, account))
    send(
        operator,
        f"{KEYS}{api_key.pk}/change/",
        {"name": api_key.name, "scopes": api_key.scopes, "requests_per_minute": "30"},
    )
    operator.post(f"{KEYS}{api_key.pk}/rotate/", {"grace": "1"})
    operator.post(f"{KEYS}{api_key.pk}/revoke/")
    others = ApiKey.objects.filter(revoked_at=None).values_list("pk", flat=True)
    operator.post(KEYS, {"action": "revoke_selected", "_selected_action": list(others)})
    told = written_since(before)
    assert [action for action, _, _ in told] == [
        *("apikey.issue", "apikey.change", "apikey.issue", "apikey.rotate"),
        *("apikey.revoke", "apikey.revoke", "apikey.revoke"),
    ]
    assert {actor for _, actor, _ in told} == {"operator"}
    assert told[1][2] == {"requests_per_minute": [None, 30]}


def test_people_s_rights_are_told_but_not_their_passwords_and_addresses(operator, bob, before):
    form = {
        "username": "bob",
        "is_staff": "on",
        "email": "new@example.com",
        "date_joined_0": "2026-01-02",
        "date_joined_1": "03:04:05",
    }
    send(operator, f"{USERS}{bob.pk}/change/", form)
    password = {"password1": "a new password 1", "password2": "a new password 1"}
    operator.post(f"{USERS}{bob.pk}/password/", {**password, "usable_password": "true"})
    changed, set_anew = written_since(before)
    assert changed[0] == "user.change"
    assert changed[2]["email"] == "changed"
    assert changed[2]["is_active"] == [True, False]
    assert changed[2]["is_staff"] == [False, True]
    assert set_anew[0] == "user.password"
    everything = " ".join(str(vars(entry)) for entry in AuditEntry.objects.all())
    assert "example.com" not in everything
    assert "a new password" not in everything
    assert User.objects.get(pk=bob.pk).password not in everything


def test_what_is_deleted_is_told_one_by_one(operator, bob, charlie, before):
    operator.post(f"{USERS}{charlie.pk}/delete/", {"post": "yes"})
    form = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
    operator.post(USERS, form)
    assert written_since(before) == [("user.delete", "operator", {})] * 2
    names = AuditEntry.objects.filter(action="user.delete").values_list("target_name", flat=True)
    assert set(names) == {"charlie", "bob"}


def test_the_log_is_read_and_searched(operator, api_key, before):
    assert api_key.public_id in operator.get(LOG).content.decode()
    assert operator.get(f"{LOG}{before}/change/").status_code == 200
    assert api_key.public_id not in operator.get(f"{LOG}?q=nobody").content.decode()


@ODD_QUERIES
def test_it_survives_any_query(operator, before, query):
    response = operator.get(LOG + query, follow=True)
    assert response.status_code in (200, 400)
    assert response.headers["content-type"].startswith("text/html")


def test_nobody_alters_the_log(operator, before):
    rows = list(AuditEntry.objects.values())
    form = {"action": "delete_selected", "_selected_action": before, "post": "yes"}
    for path in ("add/", f"{before}/change/", f"{before}/delete/", ""):
        response = operator.post(LOG + path, {**form, "actor_name": "forged"})
        assert response.status_code == 403, path
    assert list(AuditEntry.objects.values()) == rows


def test_an_owner_who_is_taken_out_here_has_invited_nobody_any_more(operator, account, bob, alice):
    Invitation.send(account.pk, "b2@example.com", "owner", bob, Actor.of_user(bob))
    bobs, row = account.memberships.get(user=bob), "memberships-0-"
    rows = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        f"{row}id": bobs.pk,
        f"{row}account": account.pk,
        f"{row}user": bob.pk,
        f"{row}role": "member",
        f"{row}DELETE": "on",
    }
    answer = send(operator, f"{ACCOUNTS}{account.pk}/change/", account_form(account, **rows))
    assert answer.status_code == 302
    assert not Invitation.objects.all().waiting().exists()


def test_what_everybody_is_told_is_told_to_the_log(operator, before):
    notice = {"text": "Back at noon", "level": "info", "since_0": "2026-01-02", "since_1": "12:00"}
    assert operator.post("/admin/speech/notice/add/", notice).status_code == 302
    page = f"/admin/speech/notice/{Notice.objects.get().pk}/change/"
    assert send(operator, page, notice | {"level": "warning"}).status_code == 302
    assert written_since(before) == [
        ("notice.add", "operator", {"text": [None, "Back at noon"], "since": [None, NOON]}),
        ("notice.change", "operator", {"level": ["info", "warning"]}),
    ]
