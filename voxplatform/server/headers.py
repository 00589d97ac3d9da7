"""Request headers: which are believed, and what a trusted proxy says about its client.

A header with an underscore could pose as another one behind CGI-style names, and whoever is not a
trusted proxy could pose as anybody with `X-Forwarded-For`: both are dropped, not just ignored. It
knows nothing of connections or requests.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

Headers = list[tuple[bytes, bytes]]

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")


class TrustedProxies:
    """The addresses and networks whose forwarded headers count."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        self.trusts = lru_cache(maxsize=1024)(self._trusts)

    def _trusts(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(plain_address(host))
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def client(self, peer: str, headers: Headers) -> tuple[str, str | None]:
        """The client's address and scheme as the nearest trusted hop saw them.

        The header is read from the right: each trusted proxy vouches only for the entry it added.
        """
        if not self.trusts(peer):
            return peer, None
        address = peer
        for hop in reversed(_values(headers, b"x-forwarded-for")):
            if not _is_address(hop):
                break
            address = hop
            if not self.trusts(hop):
                break
        schemes = _values(headers, b"x-forwarded-proto")
        scheme = schemes[-1].lower() if schemes else None
        return address, scheme if scheme in ("http", "https") else None


def plain_address(host: str) -> str:
    """An address as others write it: without a zone, and IPv4 as such on a socket of both kinds."""
    return host.partition("%")[0].removeprefix("::ffff:")


def clean(raw: Iterable[tuple[bytes, Sequence[bytes]]], trusted: bool) -> Headers:
    """Lower-cased names and their values, without those that could deceive the application."""
    return [
        (name, value)
        for name, values in ((name.lower(), values) for name, values in raw)
        if not _deceives(name, trusted)
        for value in values
    ]


def find_fault(headers: Headers, version: bytes) -> str | None:
    """What makes a set of headers unacceptable, in one sentence; None when nothing does."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == b"HTTP/1.1"):
        return "Exactly one Host header is needed."
    if hosts and not _is_host(hosts[0]):
        return "The Host header is not a host name."
    if any(_CONTROLS.search(value) for _, value in headers):
        return "A header holds a control character."
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or version != b"HTTP/1.1"):
        return "The Transfer-Encoding is not one this server takes."
    return None


def _deceives(name: bytes, trusted: bool) -> bool:
    if b"_" in name or name == b"daphne-root-path":
        return True
    return not trusted and (
        name.startswith(b"x-forwarded-") or name in (b"forwarded", b"x-real-ip")
    )


def _is_host(host: bytes) -> bool:
    match = _HOST.fullmatch(host)
    return match is not None and int(match[1] or 0) < 65536


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _values(headers: Headers, wanted: bytes) -> list[str]:
    joined = b",".join(value for name, value in headers if name == wanted)
    return [part.strip() for part in joined.decode("latin-1").split(",") if part.strip()]
