"""Who is calling: ``Authorization: Bearer vox_…`` becomes a user and an ApiKey.

Decides nothing about what they may do. No header, or an empty bearer token, is nobody; a header
that is there but wrong is always refused, on public pages too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts.exceptions import AccountDeactivated, InvalidKey
from accounts.models import ApiKey

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class KeyHolder(AnonymousUser):
    """Whoever holds a key that no user is known for: nobody in particular, yet authenticated."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]  # False for its parent alone
        return True


class ApiKeyAuthentication(BaseAuthentication):
    """Answers (user, ApiKey); the key is ``request.auth``."""

    def authenticate(self, request: Request) -> tuple[User | KeyHolder, ApiKey] | None:
        raw = bearer_token(request.META.get("HTTP_AUTHORIZATION", ""))
        if not raw:
            return None
        key = ApiKey.objects.for_key(raw)
        if not key.account.is_open:
            raise AccountDeactivated()
        key.check_network(request.META.get("REMOTE_ADDR", ""))
        key.touch()
        return key.created_by or KeyHolder(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BrowserSession(SessionAuthentication):
    """Answers (user, None) for a signed-in browser that sent its CSRF token."""


def bearer_token(header: str) -> str:
    """The token of an Authorization header; "" when there is none, InvalidKey for another form.

    Servers join repeated headers with a comma, so two keys are one malformed token.
    """
    scheme, _, token = header.strip().partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise InvalidKey("Send the API key as: Authorization: Bearer YOUR_KEY.")
    return token.strip()
