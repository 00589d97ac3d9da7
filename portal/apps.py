"""The portal: pages for people. It has no models of its own."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import leaving, security_log
        from voices import tombstones

        security_log.connect()
        tombstones.stays_erased(leaving.PERSON, leaving.erase_again)
