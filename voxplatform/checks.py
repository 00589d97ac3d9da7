"""Is this deployment sane? What is unsafe is refused by name, before anything listens.

Sees the settings only; whether a port is free or a directory writable is found out at start.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

_SHORTEST_SECRET = 50
_FEWEST_DIFFERENT = 5


@register("security")
def check_deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every finding about how this site is exposed."""
    return [*_debug(), *_hosts(), *_secrets(), *_transport(), *_peers()]


def _debug() -> Iterator[CheckMessage]:
    if settings.DEBUG and settings.SITE_URL.startswith("https:"):
        yield Error(
            "DEBUG is on for a site that is served over https: error pages would show its insides.",
            hint="Unset DEBUG, or develop on an http SITE_URL.",
            id="voxplatform.E001",
        )


def _hosts() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS must not contain '*': links in answers would follow any Host header, "
            "and browsers' sockets from any origin would be let in.",
            hint="Name the hosts, or set SITE_URL and leave ALLOWED_HOSTS out.",
            id="voxplatform.E002",
        )


def _secrets() -> Iterator[CheckMessage]:
    secret = settings.SECRET_KEY
    if len(secret) < _SHORTEST_SECRET or len(set(secret)) < _FEWEST_DIFFERENT:
        yield Error(
            f"SECRET_KEY must have at least {_SHORTEST_SECRET} characters, "
            f"{_FEWEST_DIFFERENT} of them different: sessions could be forged.",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="voxplatform.E003",
        )


def _transport() -> Iterator[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    if site.scheme == "http" and not _is_near(site.hostname or ""):
        yield Warning(
            "SITE_URL is a public address over http: API keys and passwords travel readable.",
            hint="Put a proxy with TLS in front and set SITE_URL=https://…",
            id="voxplatform.W001",
        )


def _peers() -> Iterator[CheckMessage]:
    if "*" in settings.TRUSTED_PROXIES:
        yield Error(
            "TRUSTED_PROXIES must not contain '*': anybody could pretend to come from anywhere.",
            hint="Name the addresses or networks of your proxies.",
            id="voxplatform.E004",
        )
    if any(network.prefixlen == 0 for network in settings.METRICS_ALLOW):
        yield Warning(
            "METRICS_ALLOW lets every peer read /metrics.",
            hint="Name the networks your monitoring comes from, or use a key with scope metrics.",
            id="voxplatform.W002",
        )


def _is_near(host: str) -> bool:
    """Loopback, a private network, or a name that only resolves in one."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa"))
