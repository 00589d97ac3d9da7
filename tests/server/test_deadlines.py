"""Headers have a deadline however they come, and so has silence."""

from __future__ import annotations

import socket
import time

from .live import LiveServer, get, read_until

LIMITS = {"header_seconds": 1, "idle_seconds": 0.5}


def test_half_requests_are_timed_out_while_others_are_served(server: LiveServer) -> None:
    before = server.open_files
    started = time.monotonic()
    half_open = [server.send("GET / HTTP/1.1\r\nHost: lo") for _ in range(500)]
    silent = server.connect()
    assert server.get("/x").status == 200
    for client in half_open[-100:]:
        assert read_until(client, b"}}").startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert silent.recv(100) == b""
    assert time.monotonic() - started < 5
    for client in (*half_open, silent):
        client.close()
    time.sleep(0.2)
    assert server.open_files <= before + 1


def test_headers_that_drip_are_timed_out(server: LiveServer) -> None:
    client = server.send("GET / HTTP/1.1\r\n")
    started = time.monotonic()
    while not is_timed_out(client):
        client.sendall(b"X-A: 1\r\n")
        assert time.monotonic() - started < 3
    assert time.monotonic() - started > 0.8
    client.close()


def is_timed_out(client: socket.socket) -> bool:
    client.settimeout(0.1)
    try:
        return b" 408 " in client.recv(100)
    except TimeoutError:
        return False


def test_an_idle_connection_is_closed(server: LiveServer) -> None:
    with server.send(get("/x")) as client:
        read_until(client, b"0\r\n\r\n")
        started = time.monotonic()
        assert client.recv(100) == b""
        assert time.monotonic() - started < 2
