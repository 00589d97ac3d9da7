"""Is this deployment sane, as far as keys and their counters are concerned?"""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connection

_SHORTEST_PEPPER = 32
_OLDEST_SQLITE = (3, 35)


@register()
def check_sqlite(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Our statements say RETURNING, which SQLite learnt in 3.35."""
    on_sqlite = connection.vendor == "sqlite"
    if not on_sqlite or sqlite3.sqlite_version_info >= _OLDEST_SQLITE:
        return []
    return [
        Error(
            f"SQLite {sqlite3.sqlite_version} is too old: this needs 3.35 or newer.",
            hint="Use a Python that was built with a newer SQLite, or PostgreSQL by DATABASE_URL.",
            id="accounts.E002",
        )
    ]


@register("security")
def check_peppers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A short pepper could be guessed by whoever has the database, and the digests with it."""
    if all(len(pepper) >= _SHORTEST_PEPPER for pepper in settings.KEY_PEPPERS):
        return []
    return [
        Error(
            f"Every pepper in KEY_PEPPER must have at least {_SHORTEST_PEPPER} characters.",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="accounts.E001",
        )
    ]
