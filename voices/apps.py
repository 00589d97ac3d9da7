"""The voices app: what a voice is, and that it may be used."""

from __future__ import annotations

from django.apps import AppConfig


class VoicesConfig(AppConfig):
    name = "voices"
