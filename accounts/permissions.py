"""What a caller may do: the scopes of a key. A person in a browser needs none.

Who the caller is was decided before; voices, models and networks are the key's own affair.
"""

from __future__ import annotations

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.exceptions import MissingScope
from accounts.models import SCOPES, ApiKey


def require_scope(key: ApiKey | None, scope: str) -> None:
    """Raises MissingScope for a key that was not issued for this."""
    if key is not None and not key.may(scope):
        raise MissingScope(f"This API key lacks the scope '{scope}'.")


def HasScope(scope: str) -> type[BasePermission]:
    """For ``permission_classes``: somebody, and if it is by a key, one with this scope."""
    assert scope in SCOPES, scope

    class _HasScope(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            require_scope(request.auth if isinstance(request.auth, ApiKey) else None, scope)
            return bool(request.user.is_authenticated)

    return _HasScope


class ListingAllowed(BasePermission):
    """Public names are for everybody, unless ``ANONYMOUS_LISTING`` is off."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return settings.ANONYMOUS_LISTING or bool(request.user.is_authenticated)


class MayOperate(BasePermission):
    """Those who run the platform: a key with the scope ``engine``, or staff in a browser."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiKey):
            return HasScope("engine")().has_permission(request, view)
        return bool(request.user.is_staff)
