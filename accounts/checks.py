"""Is this deployment sane, as far as keys are concerned?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

_SHORTEST_PEPPER = 32


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
