"""The speech app: text in, speech out."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class SpeechConfig(AppConfig):
    name = "speech"

    def ready(self) -> None:
        from speech.checks import check_engine

        register(check_engine)
