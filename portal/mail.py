"""E-mail that the portal sends besides allauth's: invitations."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Invitation


def mail_invitation(invitation: Invitation) -> None:
    """The link, in the language of whoever invites. Raises OSError where it cannot be sent."""
    link = settings.SITE_URL + reverse("invitation", args=[invitation.token])
    inviter = invitation.invited_by.get_username()
    name = " ".join(invitation.account.name.split())
    text = render_to_string(
        "portal/mail/invitation.txt",
        {"link": link, "inviter": inviter, "account": name, "until": invitation.expires_at},
    )
    subject = _("%(inviter)s invites you to %(account)s on VoxPlatform")
    send_mail(subject % {"inviter": inviter, "account": name}, text, None, [invitation.email])
