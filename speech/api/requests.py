"""From a DRF request to what the one path wants to know, and the headers that answer it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.contrib.auth.models import User
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from accounts.audit import Actor
from accounts.current import current_account
from accounts.exceptions import AccountDeactivated
from accounts.models import Account, ApiKey
from speech.requests import Caller
from voices.models import Origin

_ID = re.compile(r"[A-Za-z0-9_]{1,40}")


def key_of(request: Request) -> ApiKey | None:
    """The key that was used; None for a browser session or nobody."""
    return request.auth if isinstance(request.auth, ApiKey) else None


def account_of(request: Request) -> Account:
    """The key's account, or the one that the browser's user acts for."""
    if key := key_of(request):
        return key.account
    account = current_account(request._request)
    if not account.is_open:
        raise AccountDeactivated()
    return account


def as_id(text: str) -> str:
    """A public id out of a URL. Raises NotFound for what can be none: no database need see it."""
    if not _ID.fullmatch(text):
        raise NotFound
    return text


def origin_of(request: Request) -> Origin:
    """Who does something to voices and consents, for their records and the audit log."""
    user = request.user if isinstance(request.user, User) else None
    return Origin(Actor.of_request(request), user, request.headers.get("user-agent", "")[:200])


def caller_of(request: Request, face: str) -> Caller:
    """Who asks, and for which account."""
    key = key_of(request)
    return Caller(
        account=account_of(request),
        face=face,
        request_id=request._request.id,  # type: ignore[attr-defined]
        key=key,
        user_id=None if key else request.user.pk,
        user_agent=request.headers.get("user-agent", "")[:200],
    )


def warning(notes: Sequence[str]) -> dict[str, str]:
    """The ``warning`` header that names what was ignored; none when nothing was."""
    return {"warning": f'299 - "{"; ".join(notes)}"'} if notes else {}
