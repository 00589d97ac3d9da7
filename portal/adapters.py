"""Where allauth asks this platform: who may sign up, and what happens when somebody does."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.current import choose_account
from accounts.exceptions import InvitationSpent
from accounts.models import Account, Invitation

_IN_SESSION = "invitation"


def remember_invitation(request: HttpRequest, token: str) -> None:
    """Who follows an invitation may sign up, while it counts."""
    request.session[_IN_SESSION] = token


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser came with, while it counts."""
    token = request.session.get(_IN_SESSION)
    return Invitation.objects.all().by_link(token) if token else None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's, with ``SIGN_UP`` and invitations."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGN_UP == "invite":
            return invitation_of(request) is not None
        return bool(settings.SIGN_UP == "open")

    def login(self, request: HttpRequest, user: User) -> None:
        """Whoever comes in has an account to act for."""
        super().login(request, user)
        Account.objects.for_user(user)

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The person, their entry in the audit log, and their place in whatever invited them."""
        made: User = super().save_user(request, user, form, commit)
        if commit:
            _welcome(request, made)
        return made


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Whom the provider knows may come, unless nobody may."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return bool(settings.SIGN_UP != "closed")

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        made: User = super().save_user(request, sociallogin, form)
        _welcome(request, made)
        return made


def _welcome(request: HttpRequest, user: User) -> None:
    actor = audit.Actor.at(request, user)
    audit.record("user.signup", actor, user)
    invitation = invitation_of(request)
    if invitation is None:
        return
    try:
        invitation.accept(user, actor)
    except InvitationSpent as error:
        raise PermissionDenied(str(error)) from error
    request.session.pop(_IN_SESSION)
    choose_account(request, user, invitation.account_id)
