"""The speech app: text in, speech out."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import pgettext_lazy


class SpeechConfig(AppConfig):
    name = "speech"
    verbose_name = pgettext_lazy("menu", "Speech")

    def ready(self) -> None:
        from speech.checks import check_engine

        register(check_engine)
