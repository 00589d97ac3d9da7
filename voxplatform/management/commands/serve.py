"""`manage.py serve`: the platform behind its own web server.

Turns settings into the server's arguments and its failures into one sentence; knows nothing of how
either side works.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys
from speech.local import announce, withdraw
from voxplatform.network import EVERYWHERE, in_url
from voxplatform.server import CannotServe, Limits, serve
from voxplatform.static_files import collect_static

# Recordings and long texts arrive only here; everything else is JSON or a small form.
IMPORTS = "/admin/voices/voiceimport/add/"
UPLOAD_PREFIXES = (
    *("/v1/audio/voice", "/audio/voice", "/api/voices", "/api/consents"),
    *("/api/jobs", "/jobs/"),
)


class Command(BaseCommand):
    """Serve until SIGTERM, then drain."""

    help = "Serve the platform. SIGTERM lets running streams finish, a second one ends at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on")
        parser.add_argument("--port", default=settings.PORT, type=int, help="0 takes a free one")
        if settings.SPEECH_ENGINE == "tone":
            parser.add_argument(
                "--faults",
                type=Path,
                help="for tests: a file that sets the engine's fault switches",
            )

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        # The application looks for them as it is imported.
        if not settings.STATIC_ROOT.exists():
            collect_static()
        # Importing the application sets up what it carries: not before `serve` was really asked.
        from voxplatform import faults
        from voxplatform.asgi import application

        if options.get("faults"):
            faults.watch(options["faults"])
        try:
            serve(
                application,
                host=host,
                port=port,
                limits=limits(),
                plausible=shows_credentials,
                trusted_proxies=settings.TRUSTED_PROXIES,
                ready=self.announce,
            )
        except CannotServe as error:
            raise CommandError(str(error)) from error
        finally:
            withdraw()

    def announce(self, host: str, port: int) -> None:
        """Say where to go, in one line."""
        everywhere = host in EVERYWHERE
        local = f"http://{'127.0.0.1' if everywhere else in_url(host)}:{port}"
        announce(local)
        shown = settings.SITE_URL if everywhere and port == settings.PORT else local
        self.stdout.write(f"VoxPlatform is ready at {shown}")
        self.stdout.flush()


def limits() -> Limits:
    """The server's limits as the settings have them."""
    return Limits(
        body_bytes=settings.MAX_BODY_BYTES,
        upload_bytes=(
            *((prefix, settings.MAX_UPLOAD_BYTES) for prefix in UPLOAD_PREFIXES),
            (IMPORTS, settings.MAX_IMPORT_BYTES),
        ),
        header_seconds=settings.HEADER_SECONDS,
        body_seconds=settings.BODY_SECONDS,
        stall_seconds=settings.STALL_SECONDS,
        drain_seconds=settings.DRAIN_SECONDS,
    )


def shows_credentials(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a request carries what could be a key or a session. Asks no database."""
    for name, value in headers:
        text = value.decode("latin-1")
        if name == b"authorization":
            scheme, _, credentials = text.partition(" ")
            if scheme.lower() == "bearer" and keys.plausible(credentials.strip()):
                return True
        elif name == b"cookie" and _has_session(text):
            return True
    return False


def _has_session(cookies: str) -> bool:
    try:
        return settings.SESSION_COOKIE_NAME in SimpleCookie(cookies)
    except CookieError:
        return False
