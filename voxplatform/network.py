"""What this machine is called on its networks. Knows nothing of Django."""

from __future__ import annotations

import socket

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def in_url(host: str) -> str:
    """The name or address as it stands in a URL or a Host header."""
    return f"[{host}]" if ":" in host else host


def own_addresses() -> list[str]:
    """The machine's names and addresses, as they can stand in a Host header."""
    name = socket.gethostname()
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    # Connecting a datagram socket sends nothing: it only asks which address would be used.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return [name, *(in_url(item) for item in sorted(found) if "%" not in item)]
