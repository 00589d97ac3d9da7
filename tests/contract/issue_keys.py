"""Makes keys of every kind, and people who are signed in, in a live server's database: Dora, a
clerk who is staff without any permission, and an admin who has them all.

Run by ``manage.py shell`` there; what it makes is printed as JSON.
"""

from __future__ import annotations

import json
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from accounts.models import SCOPES, Account, ApiKey


def main() -> None:
    people = {name: sign_in(name) for name in ("dora", "clerk", "admin")}
    print(json.dumps({"keys": make_keys(), "sessions": people}))


def sign_in(name: str) -> str:
    """The session of a new person's browser."""
    user = User.objects.create_user(name, is_staff=name != "dora", is_superuser=name == "admin")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


def make_keys() -> dict[str, str]:
    """The keys' texts by what is special about them."""
    account = Account.objects.default()
    account_off = Account.objects.create(name="off", is_active=False)
    past = timezone.now() - timedelta(days=1)
    special = {
        "good": {},
        "one a minute": {"requests_per_minute": 1},
        "many a minute": {"requests_per_minute": 1000},
        "one stream": {"parallel_streams": 1},
        "no quota": {"monthly_characters": 3},
        "no seconds": {"monthly_seconds": 0},
        "expired": {"expires_at": past},
        "revoked": {"revoked_at": past},
        "no scope": {"scopes": ["metrics"]},
        "every scope": {"scopes": list(SCOPES)},
        "one voice": {"allowed_voices": ["nova"]},
        "one model": {"allowed_models": ["tts-1"]},
        "elsewhere": {"allowed_networks": ["192.0.2.0/24"]},
        **{f"without {scope}": {"scopes": [s for s in SCOPES if s != scope]} for scope in SCOPES},
        **{f"only {scope}": {"scopes": [scope]} for scope in SCOPES},
    }
    raw = {name: ApiKey.issue(account, name, **limits)[0] for name, limits in special.items()}
    raw["stranger"] = ApiKey.issue(Account.objects.create(name="strangers"), "stranger")[0]
    raw["account off"] = ApiKey.issue(account_off, "off")[0]
    return raw
