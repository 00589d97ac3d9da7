"""Whom we may call: https and addresses of the public internet, unless the operator allows more."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_url(url: str) -> SplitResult:
    """The parts of a URL that a webhook may have. Raises ValueError with a sentence."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("It is not a URL.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOK_ALLOW):
        raise ValueError("It must begin with https://.")
    if not parts.hostname or parts.username or parts.password or port == 0:
        raise ValueError("It must name a host, and nobody's password.")
    if not parts.netloc.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        raise ValueError("It must be written in ASCII.")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise ValueError("Its host is no name.") from None
    if (address := _as_address(parts.hostname)) is not None and not may_call(address, parts.scheme):
        raise ValueError("Its address is not one of the public internet.")
    return parts


def may_call(address: Address, scheme: str) -> bool:
    """Whether a connection to this very address is allowed."""
    inner = _led_to(address)
    if any(inner in network for network in settings.WEBHOOK_ALLOW):
        return True
    is_ours = inner.is_multicast or inner.is_reserved or getattr(inner, "is_site_local", False)
    return scheme == "https" and inner.is_global and not is_ours


def _led_to(address: Address) -> Address:
    """Where a packet arrives: the IPv4 address that an IPv6 address stands for, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
