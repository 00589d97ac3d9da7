"""Who is at the other end of a WebSocket, at its start and as long as it is open.

A key comes in the ``Authorization`` header, from anywhere; a session comes in a cookie, and only
from pages of this very site. Neither may stand in the URL. Everything here asks the database anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http.request import split_domain_port, validate_host

from accounts.authentication import bearer_token
from accounts.current import memberships_of
from accounts.exceptions import InvalidKey, Refusal
from accounts.models import ApiKey
from speech.job_models import JobQuerySet


@dataclass(frozen=True, slots=True)
class Visitor:
    """What was shown at the door; ``is_welcome`` says whether it is still good."""

    raw_key: str
    session: str
    address: str

    @property
    def name(self) -> str:
        """By whom sockets are counted."""
        return self.raw_key or self.session

    def key(self, scopes: tuple[str, ...] = ("jobs",)) -> ApiKey | None:
        """The key, if it may look from here at what these scopes open."""
        try:
            key = ApiKey.objects.for_key(self.raw_key)
            key.check_network(self.address)
        except Refusal:
            return None
        return key if all(map(key.may, scopes)) and key.account.is_open else None

    def user(self) -> User | None:
        """The person whose session it is, if they are still signed in."""
        store = import_module(settings.SESSION_ENGINE).SessionStore(self.session)
        user = get_user(cast(Any, SimpleNamespace(session=store)))
        return user if isinstance(user, User) and user.is_active else None

    def is_welcome(self) -> bool:
        return (self.key() if self.raw_key else self.user()) is not None

    def is_operator(self) -> bool:
        """Whether they may see who speaks: staff who may read the usage log, at a browser, or a
        key with the scope engine."""
        if self.raw_key:
            key = self.key(("engine",))
            return key is not None
        user = self.user()
        return user is not None and user.is_staff and user.has_perm("speech.view_usagerecord")

    def may_see(self, jobs: JobQuerySet) -> JobQuerySet:
        """Those of them that are of an account of theirs."""
        if self.raw_key:
            key = self.key()
            return jobs.filter(account=key.account) if key else jobs.none()
        user = self.user()
        if user is None:
            return jobs.none()
        return jobs.filter(account__in=memberships_of(user).values("account"))


def visitor_of(scope: dict[str, Any]) -> Visitor | None:
    """Who asks for a socket, or None for nobody whom we would talk to. Asks no database."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    address = str((scope.get("client") or ("",))[0])
    if scope["query_string"]:
        return None  # nothing is asked for there, and a key must not be
    try:
        raw_key = bearer_token(headers.get("authorization", ""))
    except InvalidKey:
        return None
    if raw_key:
        return Visitor(raw_key, "", address)
    session = _session(headers.get("cookie", ""))
    if not session or not _is_ours(headers.get("origin", ""), headers.get("host", ""), scope):
        return None
    return Visitor("", session, address)


def _session(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""


def _is_ours(origin: str, host: str, scope: dict[str, Any]) -> bool:
    """Whether a page of this site asks: under ``SITE_URL``, or under the host that was asked."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    domain, _ = split_domain_port(host)
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    return (
        bool(domain)
        and validate_host(domain, settings.ALLOWED_HOSTS)
        and (origin == f"{scheme}://{host}")
    )
