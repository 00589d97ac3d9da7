"""Accounts that several people share: made, joined, left, and never without an owner.

Each change leaves its audit entry. Who may call what is the caller's affair.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from accounts.audit import Actor, record
from accounts.exceptions import LastOwner, NameTaken, TooManyTeams
from accounts.models import Account, Invitation, Membership


def make_team(name: str, owner: User, actor: Actor) -> Account:
    """A new shared account, with the limits that its maker's own one has. Raises NameTaken, and
    TooManyTeams: who leaves a team, or hands it on, has made it all the same."""
    try:
        with transaction.atomic():
            own = _locked(Account.objects.for_user(owner).pk)
            if owner.teams_made.count() >= settings.TEAMS_PER_PERSON:
                raise TooManyTeams()
            account = Account.objects.create(
                name=name,
                made_by=owner,
                monthly_characters=own.monthly_characters,
                monthly_seconds=own.monthly_seconds,
            )
            Membership.objects.create(user=owner, account=account, role=Membership.Role.OWNER)
            record("account.add", actor, account, account)
    except IntegrityError:
        raise NameTaken() from None
    return account


def rename(account: Account, name: str, actor: Actor) -> None:
    """Raises NameTaken."""
    try:
        with transaction.atomic():
            before, account.name = account.name, name
            account.save(update_fields=["name"])
            record("account.change", actor, account, account, {"name": [before, name]})
    except IntegrityError:
        raise NameTaken() from None


def set_role(membership: Membership, role: str, actor: Actor) -> None:
    """Raises LastOwner where nobody else would own the account."""
    with transaction.atomic():
        before = membership.role
        if before == role:
            return
        _locked(membership.account_id)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        _must_have_owner(membership.account_id)
        membership.role = role
        Invitation.objects.all().withdraw_former(membership.account_id, actor)
        details = {"role": [before, role], "user": membership.user_id}
        record("membership.change", actor, membership, membership.account_id, details)


def remove(membership: Membership, actor: Actor) -> None:
    """Take somebody out, or leave. Raises LastOwner; a person's own account keeps its person."""
    with transaction.atomic():
        if membership.account.personal_of_id == membership.user_id:
            raise LastOwner()
        _locked(membership.account_id)
        details = {"user": membership.user_id, "role": membership.role}
        record("membership.delete", actor, membership, membership.account_id, details)
        Membership.objects.filter(pk=membership.pk).delete()
        _must_have_owner(membership.account_id)
        Invitation.objects.all().withdraw_former(membership.account_id, actor)


def _locked(account_id: int) -> Account:
    """Two owners who leave at the same moment wait for each other here, as do two forms that would
    each make the last team that a person may make."""
    return Account.objects.select_for_update().get(pk=account_id)


def _must_have_owner(account_id: int) -> None:
    owners = Membership.objects.filter(account_id=account_id, role=Membership.Role.OWNER)
    if not owners.exists():
        raise LastOwner()
