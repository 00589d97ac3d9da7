"""Invitations: a link by e-mail that makes whoever follows it a member of an account, once.

The link is signed and holds no secret that is stored; the row says whether it still counts. Knows
nothing of pages or of how the e-mail is worded.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Actor, record
from accounts.exceptions import (
    InvitationSpent,
    TooManyInvitations,
    TooManyInvitationsOfYours,
    TooManyInvitationsToThem,
)

LIFE = timedelta(days=7)
# In a ``LIFE``, for an account, by a person in all of theirs, and to an address from everywhere.
OF_AN_ACCOUNT = 50
OF_A_PERSON = 50
TO_AN_ADDRESS = 5
_SALT = "accounts.invitation"


class Role(models.TextChoices):
    """What somebody is in an account."""

    OWNER = "owner", _("Owner")
    MEMBER = "member", _("Member")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def waiting(self) -> InvitationQuerySet:
        """Those whose links still work."""
        return self.filter(
            accepted_at=None,
            withdrawn_at=None,
            expires_at__gt=timezone.now(),
            account__is_active=True,
        )

    def withdraw_former(self, account_id: int, actor: Actor) -> None:
        """Those of who does not own the account any more: a link that they sent to an address of
        their own would let them in again. Called in the transaction that changes who owns it."""
        unused = self.filter(account_id=account_id, accepted_at=None, withdrawn_at=None)
        owners = User.objects.filter(
            memberships__account_id=account_id, memberships__role=Role.OWNER
        )
        for invitation in unused.exclude(invited_by__in=owners):
            invitation.withdraw(actor)

    def by_link(self, token: str) -> Invitation | None:
        """What a link stands for, while it counts."""
        try:
            pk = signing.loads(token, salt=_SALT, max_age=LIFE)
        except signing.BadSignature:
            return None
        return self.waiting().select_related("account", "invited_by").filter(pk=pk).first()


class Invitation(models.Model):
    """One e-mail to somebody who may or may not be known here yet."""

    account = models.ForeignKey("Account", models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations_sent"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_invitation_waits_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"  # an address would outlive its owner in the audit log

    @property
    def token(self) -> str:
        """What the link holds."""
        return signing.dumps(self.pk, salt=_SALT)

    @classmethod
    def send(cls, account_id: int, email: str, role: str, by: User, actor: Actor) -> Invitation:
        """A new invitation in the place of an older one to the same address.

        Raises TooManyInvitations: nobody is to mail the whole world, by one account or by many,
        and nobody's mailbox is to be filled.
        """
        email = email.lower()
        now = timezone.now()
        with transaction.atomic():
            User.objects.select_for_update().get(pk=by.pk)  # they send one after the other
            waiting = cls.objects.filter(account_id=account_id, accepted_at=None, withdrawn_at=None)
            waiting.filter(email=email).update(withdrawn_at=now)
            recent = cls.objects.filter(created_at__gt=now - LIFE)
            if recent.filter(account_id=account_id).count() >= OF_AN_ACCOUNT:
                raise TooManyInvitations()
            if recent.filter(invited_by=by).count() >= OF_A_PERSON:
                raise TooManyInvitationsOfYours()
            if recent.filter(email=email).count() >= TO_AN_ADDRESS:
                raise TooManyInvitationsToThem()
            invitation = cls.objects.create(
                account_id=account_id, email=email, role=role, invited_by=by, expires_at=now + LIFE
            )
            record("invitation.send", actor, invitation, account_id, {"role": role})
        return invitation

    def withdraw(self, actor: Actor) -> None:
        """Its link opens nothing any more."""
        with transaction.atomic():
            still = type(self).objects.filter(pk=self.pk, accepted_at=None, withdrawn_at=None)
            if still.update(withdrawn_at=timezone.now()):
                record("invitation.withdraw", actor, self, self.account_id)

    def accept(self, user: User, actor: Actor) -> None:
        """Make them a member. Of several who follow the link at once, one gets in; the others are
        told InvitationSpent."""
        with transaction.atomic():
            if (
                not type(self)
                .objects.waiting()
                .filter(pk=self.pk)
                .update(accepted_at=timezone.now())
            ):
                raise InvitationSpent()
            self.account.memberships.get_or_create(user=user, defaults={"role": self.role})
            record("invitation.accept", actor, self, self.account_id, {"role": self.role})
