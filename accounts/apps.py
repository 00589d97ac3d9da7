"""The accounts app: who may call, and how much."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Registers the checks."""
        from accounts import checks  # noqa: F401
