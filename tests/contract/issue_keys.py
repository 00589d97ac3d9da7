"""Makes keys of every kind in a live server's database. Run by ``manage.py shell`` there."""

from __future__ import annotations

import json
from datetime import timedelta

from django.utils import timezone

from accounts.models import SCOPES, Account, ApiKey


def main() -> None:
    """Print the keys' texts by what is special about them."""
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
    raw["account off"] = ApiKey.issue(account_off, "off")[0]
    print(json.dumps(raw))
