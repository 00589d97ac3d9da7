"""From a DRF request to what the one path wants to know, and the headers that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.contrib.auth.models import User
from rest_framework.request import Request

from accounts.models import Account, ApiKey
from speech.requests import Caller


def key_of(request: Request) -> ApiKey | None:
    """The key that was used; None for a browser session or nobody."""
    return request.auth if isinstance(request.auth, ApiKey) else None


def caller_of(request: Request, face: str) -> Caller:
    """Who asks: the key's account, or the browser user's own."""
    key = key_of(request)
    account = key.account if key else Account.objects.for_user(cast(User, request.user))
    return Caller(
        account=account,
        face=face,
        request_id=request._request.id,  # type: ignore[attr-defined]
        key=key,
        user_id=None if key else request.user.pk,
        user_agent=request.headers.get("user-agent", "")[:200],
    )


def warning(notes: Sequence[str]) -> dict[str, str]:
    """The ``warning`` header that names what was ignored; none when nothing was."""
    return {"warning": f'299 - "{"; ".join(notes)}"'} if notes else {}
