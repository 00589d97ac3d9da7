"""What people change about their own login enters the audit log: passwords, addresses, second
factors. allauth tells by signals; nothing secret is among what it tells."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.db import transaction
from django.http import HttpRequest

from accounts import audit

_TOLD = {
    account.password_set: "user.password",
    account.password_changed: "user.password",
    account.password_reset: "user.password",
    account.email_changed: "user.email",
    mfa.authenticator_added: "user.second_factor.add",
    mfa.authenticator_removed: "user.second_factor.delete",
    mfa.authenticator_reset: "user.second_factor.reset",
}


def connect() -> None:
    """Once, when the portal is ready."""
    for signal, action in _TOLD.items():
        signal.connect(_note(action), weak=False, dispatch_uid=f"portal.{action}.{id(signal)}")


def _note(action: str) -> Any:
    def note(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            audit.record(action, audit.Actor.at(request, user), user)

    return note
