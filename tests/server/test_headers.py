"""Which headers a client may send, and what is believed of a proxy."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from voxplatform.server.headers import TrustedProxies, clean

from .live import LiveServer, get, serving

LIES = (
    "Daphne-Root-Path: /evil\r\nX_Forwarded_For: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\n"
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4;proto=https\r\n"
    "X-Real-IP: 1.2.3.4\r\nX-Other: kept\r\n"
)


def seen(server: LiveServer, headers: str) -> Any:
    return server.get("/x", headers).json


def test_it_drops_what_a_stranger_says_about_itself(server: LiveServer) -> None:
    found = seen(server, LIES)
    assert found["root_path"] == ""
    assert found["scheme"] == "http"
    assert found["client"][0] == "127.0.0.1"
    assert found["client"][1] > 0
    assert {name for name, _ in found["headers"]} == {"host", "connection", "x-other"}


def test_it_believes_the_nearest_hop_of_a_trusted_proxy() -> None:
    with serving(trusted_proxies=["127.0.0.0/8"]) as server:
        found = seen(server, LIES.replace("For: 1.2.3.4", "For: 6.6.6.6, 1.2.3.4"))
        assert found["client"] == ["1.2.3.4", 0]
        assert found["scheme"] == "https"
        assert found["root_path"] == ""
        names = [name for name, _ in found["headers"]]
        assert "x-forwarded-host" in names
        assert "daphne-root-path" not in names
        assert "x_forwarded_for" not in names


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([b"6.6.6.6"], "6.6.6.6"),
        ([b"1.1.1.1, 6.6.6.6"], "6.6.6.6"),
        ([b"1.1.1.1", b"6.6.6.6"], "6.6.6.6"),
        ([b"6.6.6.6, 10.0.0.9"], "6.6.6.6"),
        ([b"10.0.0.7, 10.0.0.9"], "10.0.0.7"),
        ([b"2001:db8::1"], "2001:db8::1"),
        ([b"nonsense"], "10.0.0.1"),
        ([b"6.6.6.6, nonsense"], "10.0.0.1"),
        ([b""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_it_reads_forwarded_addresses_from_the_right(forwarded: list[bytes], client: str) -> None:
    proxies = TrustedProxies(["10.0.0.0/8"])
    headers = clean([(b"X-Forwarded-For", forwarded)], trusted=True)
    assert proxies.client("10.0.0.1", headers) == (client, None)


@pytest.mark.parametrize(
    ("value", "scheme"), [(b"https", "https"), (b"https, http", "http"), (b"ftp", None)]
)
def test_it_takes_the_scheme_the_nearest_hop_saw(value: bytes, scheme: str | None) -> None:
    headers = [(b"x-forwarded-proto", value)]
    assert TrustedProxies(["10.0.0.1"]).client("10.0.0.1", headers)[1] == scheme


def test_it_knows_an_address_in_its_other_notations() -> None:
    proxies = TrustedProxies(["10.0.0.0/8", "fe80::/10"])
    assert proxies.trusts("::ffff:10.1.2.3")
    assert proxies.trusts("fe80::1%eth0")
    assert not proxies.trusts("::ffff:11.1.2.3")
    assert not proxies.trusts("not an address")


def test_a_connection_keeps_its_port_when_nothing_was_forwarded(server: LiveServer) -> None:
    with server.connect() as client:
        port = client.getsockname()[1]
        client.sendall(get("/x", "Connection: close\r\n").encode())
        data = b""
        while part := client.recv(65536):
            data += part
    assert f'"client": ["127.0.0.1", {port}]'.encode() in data


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
def test_an_ipv4_client_is_shown_as_such_on_a_socket_of_both_kinds() -> None:
    with serving(host="::") as server:
        assert seen(server, "")["client"][0] == "127.0.0.1"
