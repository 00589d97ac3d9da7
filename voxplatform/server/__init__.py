"""The web server: Daphne, hardened.

Daphne gives HTTP, WebSockets and the event loop; this package adds what a server of endless audio
needs: back-pressure, broken transfers where a stream broke, caps and deadlines on everything a
stranger may send, ASGI's lifespan and a drain. It knows no Django and no speech: whatever it must
decide comes in as an argument.
"""

from __future__ import annotations

from voxplatform.server.limits import Limits
from voxplatform.server.server import CannotServe, Server, serve

__all__ = ["CannotServe", "Limits", "Server", "serve"]
