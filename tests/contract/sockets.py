"""The official client's WebSockets, against a live server."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


@contextmanager
def watching(server, key=None, session=None, origin=None, path="/ws/progress/", **headers):
    """A socket with a key, or with a browser's cookie and origin."""
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if session:
        headers["Cookie"] = f"sessionid={session}"
    url = server.url.replace("http", "ws") + path
    with connect(url, additional_headers=headers, origin=origin, compression=None) as socket:
        yield Watch(socket)


def raw_socket(server, key, receive_buffer=None, path="/ws/progress/"):
    """A socket behind its handshake, for frames that no client would send."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(30)
    client.connect(("127.0.0.1", server.port))
    lines = (
        *(f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Authorization: Bearer {key}"),
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""),
    )
    client.sendall("\r\n".join(lines).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return client


class Watch:
    """A socket that speaks JSON."""

    def __init__(self, socket):
        self.socket = socket

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def hear(self, timeout=10):
        return json.loads(self.socket.recv(timeout))

    def closed_with(self, timeout=15):
        try:
            while True:
                self.socket.recv(timeout)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


def refused_with(*arguments, **options):
    """The status of a handshake that is refused."""
    try:
        with watching(*arguments, **options):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
