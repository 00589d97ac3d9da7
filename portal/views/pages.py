"""What the views of the portal share: somebody is signed in and acts for an account.

``PersonRequest`` is for annotations: the request as ``@page`` hands it on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.current import current_membership
from accounts.models import Account, Membership

P = ParamSpec("P")


class PersonRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    membership: Membership
    account: Account


def page(
    *methods: str,
) -> Callable[
    [Callable[Concatenate[PersonRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """A view for people who are signed in, by these methods (GET where none is named).

    The view finds ``request.account`` and ``request.membership``; what it answers is not stored.
    """

    def decorate(
        view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def enter(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            membership = current_membership(request)
            if not membership.account.is_open:
                raise PermissionDenied(_("This account is switched off."))
            request.membership, request.account = membership, membership.account  # type: ignore[attr-defined]
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
            patch_cache_control(response, no_store=True, private=True)
            return response

        return require_http_methods(methods or ("GET", "HEAD"))(login_required(enter))  # type: ignore[return-value]

    return decorate


def owners_only(request: PersonRequest) -> None:
    """Raises PermissionDenied for members who do not own the account."""
    if request.membership.role != Membership.Role.OWNER:
        raise PermissionDenied(_("Only an owner of this account may do this."))
