"""Are voices set up sanely? What cannot be meant is an error, what is risky is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

from accounts.models import Account
from voices.policy import Policy
from voices.transcriber import FUNASR

CHECKS = ("refuse", "report")


@register(Tags.security)
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The settings' words are ones we know."""
    found: list[CheckMessage] = []
    for name, words, number in (
        ("REQUIRE_CONSENT", Policy.values, 1),
        ("VOICE_CHECKS", CHECKS, 2),
    ):
        if getattr(settings, name) not in words:
            found.append(
                Error(f"{name} must be one of {', '.join(words)}.", id=f"voices.E00{number}")
            )
    if settings.TRANSCRIBER == FUNASR and not settings.TRANSCRIBER_MODEL.is_dir():
        found.append(Error("TRANSCRIBER_MODEL is no directory.", id="voices.E003"))
    if settings.PROTECTED_NAMES and not settings.PROTECTED_NAMES.is_file():
        found.append(Error("PROTECTED_NAMES is no file.", id="voices.E004"))
    return found


@register(Tags.database)
def check_consent(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """With several accounts, somebody's word for somebody else's voice is little."""
    word_is_enough = settings.REQUIRE_CONSENT in (Policy.OFF, Policy.ATTESTATION)
    if not databases or not word_is_enough or not _has_several_accounts():
        return []
    return [
        Warning(
            f"There are several accounts, and REQUIRE_CONSENT={settings.REQUIRE_CONSENT}: anybody "
            "with a key can copy anybody's voice.",
            hint="REQUIRE_CONSENT=recording asks the owner of the voice to say so.",
            id="voices.W001",
        )
    ]


def _has_several_accounts() -> bool:
    """Not before the first migration, which runs these checks as well."""
    is_migrated = Account._meta.db_table in connection.introspection.table_names()
    return is_migrated and Account.objects.count() > 1
