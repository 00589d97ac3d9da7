"""Accounts, their members and their API keys: who pays and owns, who may act, and how much.

Knows nothing of speech: what is counted is characters and milliseconds, whatever they were for.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.api_keys import ApiKey
from accounts.audit import AuditEntry, AuditHead
from accounts.counters import Counter, KeyUse, Metered, PersonUse
from accounts.exceptions import QuotaExceeded
from accounts.invitations import Invitation, Role
from accounts.profiles import Profile
from accounts.retention import Remembering
from accounts.validators import SCOPES, default_scopes

__all__ = [
    "SCOPES",
    "Account",
    "ApiKey",
    "AuditEntry",
    "AuditHead",
    "Counter",
    "Invitation",
    "KeyUse",
    "Membership",
    "PersonUse",
    "Profile",
    "default_scopes",
]


class AccountManager(models.Manager["Account"]):
    def for_user(self, user: User) -> Account:
        """The user's personal account, made on the spot when there is none yet: with the limits
        of a new account, unless it is a superuser's, who could lift them anyway."""
        with transaction.atomic():
            limits = {} if user.is_superuser else settings.NEW_ACCOUNT_LIMITS
            account, is_new = self.get_or_create(
                personal_of=user, defaults={"name": user.get_username(), **limits}
            )
            if is_new:
                Membership.objects.create(user=user, account=account, role=Membership.Role.OWNER)
        return account

    def default(self) -> Account:
        """The account of a platform on which nobody has an account yet."""
        return self.get_or_create(name="default", personal_of=None)[0]


class Account(Metered, Remembering):
    """Who pays and owns: keys, voices, jobs, usage."""

    name = models.CharField(max_length=150)
    personal_of = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="personal_account",
        verbose_name="person",
        help_text="The one person this account is for; empty when several share it.",
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="accounts"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="teams_made",
        help_text="Who made a shared account; nobody where an operator did.",
    )
    is_active = models.BooleanField("active", default=True)
    default_voice = models.CharField(
        max_length=100, blank=True, help_text="Speaks when a request names no voice."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AccountManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(personal_of__isnull=True),
                name="shared_accounts_have_names_of_their_own",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def _counted_as(self) -> dict[str, Any]:
        return {"account_id": self.pk}

    @property
    def is_open(self) -> bool:
        """False when the account, or the one person it is for, is switched off."""
        return self.is_active and (self.personal_of is None or self.personal_of.is_active)

    def check_quota(self, characters: int, ms: int, key: ApiKey | None = None) -> None:
        """Raise QuotaExceeded when so much does not fit into what is left of this month.

        Read-only: another request may still be faster, and ``reserve`` decides.
        """
        if not self.has_room(characters, ms) or not (key is None or key.has_room(characters, ms)):
            raise QuotaExceeded()


class Membership(models.Model):
    """A person who may act for an account."""

    Role = Role

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="one_membership_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} / {self.account}"
