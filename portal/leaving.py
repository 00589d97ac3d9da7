"""A person has what is theirs erased: the account that is theirs alone with all it holds, their
history everywhere, their sessions and their login.

What is left is what a ledger needs: usage under a pseudonym, and the audit log. Accounts that are
shared keep what is theirs. Who left has a tombstone, and is erased again when an older backup
brings them back.
"""

from __future__ import annotations

import hashlib
import logging
import secrets

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.audit import SYSTEM, Actor, record
from accounts.exceptions import LastOwner
from accounts.models import Account, ApiKey, Invitation, Membership
from speech import heard, history
from speech.longform.storage import erase as erase_job
from speech.models import HistoryItem, Job, UsageRecord
from voices.erasure import entomb, forget_old_pages
from voices.exceptions import StorageUnavailable
from voices.import_rows import VoiceImport
from voices.models import Voice, VoiceConsent, VoiceDesign

logger = logging.getLogger(__name__)
PERSON = "person"


def check_may_leave(user: User) -> None:
    """Raises LastOwner where others would be left in an account without an owner."""
    owned = Membership.objects.filter(user=user, role=Membership.Role.OWNER)
    for membership in owned.exclude(account__personal_of=user):
        others = membership.account.memberships.exclude(user=user)
        if others.exists() and not others.filter(role=Membership.Role.OWNER).exists():
            raise LastOwner()


def erase(user: User, actor: Actor) -> None:
    """For good. Raises LastOwner, and OSError or StorageUnavailable where audio could not be
    deleted; called again, it goes on where it stopped."""
    check_may_leave(user)
    history.forget(HistoryItem.objects.filter(user=user))
    heard.forget(user.pk)
    alone = [
        membership.account
        for membership in user.memberships.select_related("account")
        if not membership.account.memberships.exclude(user=user).exists()
    ]
    own = Account.objects.for_user(user)
    for account in {own, *alone}:
        _erase_account(account, actor)
    with transaction.atomic():
        # An address that they never showed to be theirs is somebody else's, and so are its letters.
        shown = EmailAddress.objects.filter(user=user, verified=True)
        Invitation.objects.filter(email__in=[one.email.lower() for one in shown]).delete()
        keys = user.usersession_set.values_list("session_key", flat=True)  # type: ignore[attr-defined]
        Session.objects.filter(session_key__in=list(keys)).delete()
        record("user.erase", actor, user)
        UsageRecord.objects.filter(user=user).update(user_agent="")
        entomb(PERSON, _id_of(user))
        user.delete()
    forget_old_pages()


def erase_again(ids: list[str]) -> int:
    """Those of these people who are here all the same; how many there were."""
    back = [user for user in User.objects.all().iterator() if _id_of(user) in ids] if ids else []
    for user in back:
        try:
            erase(user, SYSTEM)
        except (LastOwner, OSError, StorageUnavailable) as reason:
            logger.error("person %d was erased and is back: %s", user.pk, reason)
    return len(back)


def _id_of(user: User) -> str:
    """Tells who they were without telling anything of them; a number alone may be somebody
    else's in another database."""
    told = f"{user.pk} {user.date_joined.isoformat()}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _erase_account(account: Account, actor: Actor) -> None:
    """All that it holds; the row stays under a pseudonym, for usage refers to it."""
    for job in Job.objects.filter(account=account):
        erase_job(job)
    for running in VoiceImport.objects.filter(account=account):
        running.cancel(actor)
    for voice in Voice.objects.living().filter(account=account):
        voice.erase(actor)
    for design in VoiceDesign.objects.filter(account=account):
        design.discard(actor)
    for consent in VoiceConsent.objects.filter(account=account, deleted_at=None):
        consent.erase(actor)
    history.forget(HistoryItem.objects.filter(account=account))
    pseudonym = f"erased-{secrets.token_hex(8)}"
    with transaction.atomic():
        for key in ApiKey.objects.filter(account=account):
            key.revoke(actor)
        account.keys.update(name="", allowed_networks=[], created_by=None)
        UsageRecord.objects.filter(account=account).update(user_agent="")
        # That there was a consent, and what its hash was, stays; who gave it does not.
        VoiceConsent.objects.filter(account=account).update(given_as=pseudonym)
        account.invitations.all().delete()
        VoiceImport.objects.filter(account=account).delete()
        record("account.erase", actor, account, account)
        account.memberships.all().delete()
        Account.objects.filter(pk=account.pk).update(
            name=pseudonym,
            personal_of=None,
            is_active=False,
            default_voice="",
        )
