"""People share an account: invited by e-mail, let in once, given roles, taken out."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Account, AuditEntry, Invitation, Membership

PASSWORD = "correct horse battery"


@pytest.fixture
def invite(at_alice, account):
    """Alice invites somebody; the path of the link in the e-mail."""

    def send(email="dora@example.com", role="member"):
        answer = at_alice.post("/account/team/invite/", {"email": email, "role": role})
        assert answer.status_code == 302
        return re.search(r"https?://[^/]+(/account/invitations/\S+)", mail.outbox[-1].body)[1]

    return send


def sign_up(browser, name="dora", email="dora@example.com"):
    form = {"email": email, "username": name, "password1": PASSWORD, "password2": PASSWORD}
    return browser.post("/account/signup/", form)


def test_who_is_invited_signs_up_and_is_in(invite, account):
    browser = Client()
    link = invite()
    assert b"Sign up" in browser.get(link).content
    assert sign_up(browser).status_code == 302
    dora = User.objects.get(username="dora")
    assert account.memberships.get(user=dora).role == "member"
    assert dora.emailaddress_set.get().verified
    assert browser.get("/account/team/").context["membership"]().account == account
    assert AuditEntry.objects.filter(action="invitation.accept", actor_name="dora").exists()


def test_without_an_invitation_nobody_signs_up(client, db):
    sign_up(client)
    assert not User.objects.filter(username="dora").exists()


@pytest.mark.parametrize(("policy", "may"), [("open", True), ("closed", False)])
def test_sign_up_is_as_the_setting_says(client, db, settings, policy, may):
    settings.SIGN_UP = policy
    sign_up(client)
    assert User.objects.filter(username="dora").exists() is may


def test_an_invitation_opens_nothing_where_sign_up_is_closed(invite, settings):
    settings.SIGN_UP = "closed"
    browser = Client()
    browser.get(invite())
    sign_up(browser)
    assert not User.objects.filter(username="dora").exists()


def test_a_link_lets_one_in_and_no_more(invite, at_charlie, at_bob, account, charlie):
    link = invite()
    assert at_charlie.post(link).status_code == 302
    assert account.memberships.filter(user=charlie).exists()
    assert at_bob.post(link).status_code == 410
    assert Client().get(link).status_code == 410


def test_looking_at_a_link_uses_nothing_up(invite, at_charlie, account, charlie):
    link = invite()
    at_charlie.get(link)
    assert not account.memberships.filter(user=charlie).exists()
    assert at_charlie.post(link).status_code == 302


@pytest.mark.parametrize("end", ["expire", "withdraw", "again", "switch off"])
def test_a_link_that_does_not_count_says_so(invite, at_alice, at_charlie, account, end):
    link = invite()
    invitation = Invitation.objects.get()
    if end == "expire":
        Invitation.objects.update(expires_at=timezone.now())
    elif end == "withdraw":
        at_alice.post(f"/account/team/invitations/{invitation.pk}/withdraw/")
    elif end == "again":
        invite()
    else:
        Account.objects.filter(pk=account.pk).update(is_active=False)
    assert at_charlie.post(link).status_code == 410


@pytest.mark.parametrize("token", ["x", "MQ:1abcde:xyz", "%00"])
def test_a_forged_link_is_none(at_charlie, token):
    assert at_charlie.get(f"/account/invitations/{token}/").status_code in (404, 410)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("invite/", {"email": "x@example.com", "role": "owner"}),
        ("name/", {"name": "Mine"}),
        ("rules/", {"default_voice": "", "history": "off"}),
        ("{alice}/remove/", {}),
        ("{bob}/change/", {"role": "owner"}),
    ],
)
def test_members_change_nothing(at_bob, bob, alice, account, path, form):
    at_bob.post("/account/choose/", {"account": account.pk})
    pks = {one.user.username: one.pk for one in account.memberships.all()}
    assert at_bob.post("/account/team/" + path.format(**pks), form).status_code == 403
    assert account.memberships.get(user=bob).role == "member"
    assert not mail.outbox


def test_somebody_elses_member_is_one_that_is_not_there(at_charlie, bob, account):
    member = account.memberships.get(user=bob)
    for path in ("remove/", "change/"):
        answer = at_charlie.post(f"/account/team/{member.pk}/{path}", {"role": "owner"})
        assert answer.status_code == 404


@pytest.fixture
def team(at_alice, alice):
    at_alice.post("/account/team/new/", {"name": "Studio"})
    return Account.objects.get(name="Studio")


def test_a_team_has_an_owner_at_all_times(at_alice, alice, team, charlie):
    mine = team.memberships.get(user=alice)
    at_alice.post(f"/account/team/{mine.pk}/change/", {"role": "member"})
    at_alice.post(f"/account/team/{mine.pk}/remove/")
    assert team.memberships.get(user=alice).role == "owner"
    other = Membership.objects.create(user=charlie, account=team)
    at_alice.post(f"/account/team/{other.pk}/change/", {"role": "owner"})
    at_alice.post(f"/account/team/{mine.pk}/remove/")
    assert not team.memberships.filter(user=alice).exists()
    assert AuditEntry.objects.filter(action="membership.delete").count() == 1


def test_teams_have_names_of_their_own(at_alice, team):
    assert at_alice.post("/account/team/new/", {"name": "Studio"}).status_code == 400


def test_a_member_may_leave(at_bob, bob, account):
    at_bob.post("/account/choose/", {"account": account.pk})
    mine = account.memberships.get(user=bob)
    assert at_bob.post(f"/account/team/{mine.pk}/remove/").status_code == 302
    assert not account.memberships.filter(user=bob).exists()


def test_nobody_mails_the_whole_world(at_alice, account, monkeypatch):
    monkeypatch.setattr("accounts.invitations.OF_AN_ACCOUNT", 2)
    for number in range(3):
        form = {"email": f"{number}@example.com", "role": "member"}
        answer = at_alice.post("/account/team/invite/", form)
    assert answer.status_code == 400
    assert len(mail.outbox) == 2


def test_nobody_mails_the_whole_world_by_many_accounts(at_alice, account, monkeypatch):
    monkeypatch.setattr("accounts.invitations.OF_A_PERSON", 2)
    for number in range(3):
        at_alice.post("/account/team/new/", {"name": f"Team {number}"})
        form = {"email": f"{number}@example.com", "role": "member"}
        answer = at_alice.post("/account/team/invite/", form)
    assert "You have sent too many" in answer.text
    assert len(mail.outbox) == 2


def test_nobodys_mailbox_is_filled_by_many_people(at_alice, at_bob, account, monkeypatch):
    monkeypatch.setattr("accounts.invitations.TO_AN_ADDRESS", 2)
    form = {"email": "Dora@example.com", "role": "member"}
    for browser in (at_alice, at_bob, at_alice):
        answer = browser.post("/account/team/invite/", form)
    assert "This address was sent too many" in answer.text
    assert len(mail.outbox) == 2
    assert Invitation.objects.all().waiting().filter(account=account).exists()


def test_a_team_is_no_way_around_its_makers_limits(at_alice, account):
    Account.objects.filter(pk=account.pk).update(monthly_characters=1000, monthly_seconds=60)
    at_alice.post("/account/team/new/", {"name": "Studio"})
    team = Account.objects.get(name="Studio")
    assert (team.monthly_characters, team.monthly_seconds) == (1000, 60)


def test_a_person_makes_only_so_many_teams_although_they_leave_them(
    at_alice, alice, charlie, settings
):
    settings.TEAMS_PER_PERSON = 2
    for name in ("One", "Two"):
        at_alice.post("/account/team/new/", {"name": name})
        team = Account.objects.get(name=name)
        Membership.objects.create(user=charlie, account=team, role="owner")
        at_alice.post(f"/account/team/{team.memberships.get(user=alice).pk}/remove/")
    answer = at_alice.post("/account/team/new/", {"name": "Three"})
    assert answer.status_code == 400
    assert "as many shared accounts" in answer.text
    assert not Account.objects.filter(name="Three").exists()


def test_who_signs_up_begins_with_the_limits_of_a_new_account(client, db, settings):
    settings.SIGN_UP = "open"
    settings.NEW_ACCOUNT_LIMITS = {"monthly_characters": 500, "monthly_seconds": None}
    sign_up(client)
    own = Account.objects.get(personal_of__username="dora")
    assert (own.monthly_characters, own.monthly_seconds) == (500, None)


@pytest.mark.parametrize("end", ["remove", "change"])
def test_an_owner_who_is_none_any_more_does_not_come_back_by_their_own_invitation(
    at_alice, at_bob, at_charlie, bob, account, end
):
    bobs = account.memberships.get(user=bob)
    at_alice.post(f"/account/team/{bobs.pk}/change/", {"role": "owner"})
    at_bob.post("/account/choose/", {"account": account.pk})
    at_bob.post("/account/team/invite/", {"email": "bob2@example.com", "role": "owner"})
    link = re.search(r"https?://[^/]+(/account/invitations/\S+)", mail.outbox[-1].body)[1]
    at_alice.post(f"/account/team/{bobs.pk}/{end}/", {"role": "member"})
    assert at_charlie.post(link).status_code == 410
    assert AuditEntry.objects.filter(action="invitation.withdraw", actor_name="alice").exists()


def test_what_other_owners_sent_still_counts(invite, at_alice, at_charlie, bob, account):
    bobs = account.memberships.get(user=bob)
    link = invite()
    at_alice.post(f"/account/team/{bobs.pk}/remove/")
    assert at_charlie.post(link).status_code == 302
