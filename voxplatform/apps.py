"""The project as an app, for its commands and checks."""

from __future__ import annotations

from django.apps import AppConfig


class VoxPlatformConfig(AppConfig):
    name = "voxplatform"

    def ready(self) -> None:
        """Registers the checks and what the schema has to know; models get people's words."""
        from voxplatform import checks, openapi  # noqa: F401
        from voxplatform.model_words import translate_models

        translate_models()
