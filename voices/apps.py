"""The voices app: what a voice is, and that it may be used."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class VoicesConfig(AppConfig):
    name = "voices"
    verbose_name = _("Voices")

    def ready(self) -> None:
        import_module("voices.checks")  # it registers itself
        post_migrate.connect(import_module("voices.built_in").add_voices, sender=self)
