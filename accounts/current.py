"""Which of their accounts a signed-in person acts for: kept in the session, checked every time.

Knows nothing of pages. Whoever is taken out of an account is back in their own with the next
request, whatever their session says.
"""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Account, Membership

_IN_SESSION = "account"


def memberships_of(user: User) -> QuerySet[Membership]:
    """What a person may act for: their own account first, then those they share, by name."""
    owner_is_there = Q(account__personal_of=None) | Q(account__personal_of__is_active=True)
    found = Membership.objects.filter(owner_is_there, user=user, account__is_active=True)
    own_first = found.annotate(is_own=Q(account__personal_of=user))
    return own_first.order_by("-is_own", "account__name").select_related("account__personal_of")


def known_membership(request: HttpRequest) -> Membership | None:
    """The signed-in person's part in the account that they chose last, or in their own; None for
    whom there is none yet. Only reads, so that any page may ask."""
    known: Membership | None = getattr(request, "_membership", None)
    if known is None:
        user = cast(User, request.user)
        memberships = memberships_of(user)
        chosen = request.session.get(_IN_SESSION)
        known = memberships.filter(account_id=chosen).first() if chosen else None
        known = known or memberships.filter(account__personal_of=user).first()
        request._membership = known  # type: ignore[attr-defined]
    return known


def current_membership(request: HttpRequest) -> Membership:
    """The same; who has no account yet gets their own."""
    return known_membership(request) or _own(cast(User, request.user))


def _own(user: User) -> Membership:
    own = Account.objects.for_user(user)
    return Membership.objects.select_related("account__personal_of").get(user=user, account=own)


def current_account(request: HttpRequest) -> Account:
    """The account that the signed-in person acts for now."""
    return current_membership(request).account


def choose_account(request: HttpRequest, user: User, account_id: int) -> Account | None:
    """Have them act for this account from now on, who are signed in or will be in a moment; None,
    and nothing changes, where they are no member."""
    membership = memberships_of(user).filter(account_id=account_id).first()
    if membership is None:
        return None
    request.session[_IN_SESSION] = account_id
    request._membership = membership  # type: ignore[attr-defined]
    return membership.account
