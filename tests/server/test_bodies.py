"""Request bodies: capped by what is declared and what comes, never taken in from strangers."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest

from .live import KEY, Answer, LiveServer, assert_refused, post, read_to_end, read_until

MB = 1024 * 1024
LIMITS: dict[str, Any] = {
    "upload_bytes": [["/uploads", 3 * MB]],
    "body_seconds": 1,
    "header_seconds": 5,
}


def upload(
    server: LiveServer, path: str, size: int, headers: str = "", chunked: bool = False
) -> tuple[Answer, int]:
    """Send a body as far as the server takes it; the answer, and how much was sent."""
    client = server.send(post(path, None if chunked else size, headers))
    piece, sent = bytes(65536), 0
    with contextlib.suppress(ConnectionError):
        while sent < size:
            part = piece[: size - sent]
            client.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            sent += len(part)
    with client:
        return Answer(read_to_end(client)), sent


def ask_with_body(server: LiveServer, path: str, size: int, headers: str = "") -> Any:
    """What the application saw of a body that is taken."""
    request = post(path, size, headers + "Connection: close\r\n").encode() + bytes(size)
    answer = server.ask(request)
    assert answer.status == 200, answer.raw[:200]
    return answer.json


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 200_000, MB])
def test_the_application_gets_the_whole_body(server: LiveServer, size: int) -> None:
    assert ask_with_body(server, "/x", size, KEY)["received"] == size


def test_the_application_gets_a_chunked_body(server: LiveServer) -> None:
    body = b"".join(b"%x\r\n%s\r\n" % (1000, bytes(1000)) for _ in range(200)) + b"0\r\n\r\n"
    answer = server.ask(post("/x", None, KEY + "Connection: close\r\n").encode() + body)
    assert answer.json["received"] == 200_000


def test_an_upload_path_takes_more(server: LiveServer) -> None:
    assert ask_with_body(server, "/uploads/1", 3 * MB, KEY)["received"] == 3 * MB


@pytest.mark.parametrize(("path", "size"), [("/x", MB + 1), ("/uploads/1", 3 * MB + 1)])
def test_it_refuses_a_declared_body_above_the_cap_unread(
    server: LiveServer, path: str, size: int
) -> None:
    assert_refused(server.ask(post(path, size, KEY)), 413, "payload_too_large")


def test_it_refuses_a_body_that_grows_above_the_cap(server: LiveServer) -> None:
    answer, sent = upload(server, "/x", 50 * MB, KEY, chunked=True)
    assert_refused(answer, 413, "payload_too_large")
    assert sent < 20 * MB


def test_it_refuses_a_length_beyond_all_numbers(server: LiveServer) -> None:
    request = f"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {'9' * 5000}\r\n\r\n"
    assert_refused(server.ask(request), 413, "payload_too_large")


def test_it_takes_a_small_body_without_a_key(server: LiveServer) -> None:
    assert ask_with_body(server, "/x", 64 * 1024)["received"] == 64 * 1024


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("headers", "code"), [("", None), ("Authorization: Bearer nonsense\r\n", "invalid_api_key")]
)
def test_it_takes_no_large_body_without_a_plausible_key(
    server: LiveServer, headers: str, code: str | None, chunked: bool
) -> None:
    answer, _ = upload(server, "/x", 900_000, headers, chunked)
    assert_refused(answer, 401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/x", "/uploads/1"])
def test_a_huge_keyless_upload_costs_nothing_and_is_refused_at_once(
    server: LiveServer, path: str, chunked: bool
) -> None:
    server.get("/x")
    before, started = server.rss, time.monotonic()
    answer, sent = upload(server, path, 300 * MB, chunked=chunked)
    assert time.monotonic() - started < 1
    assert answer.status in (401, 413)
    assert server.rss - before < 5 * MB
    assert sent < 20 * MB


@pytest.mark.parametrize("headers", [KEY, ""])
def test_it_does_not_invite_a_body_it_refuses(server: LiveServer, headers: str) -> None:
    answer = server.ask(post("/x", 300 * MB, headers + "Expect: 100-continue\r\n"))
    assert_refused(answer, 413, "payload_too_large")


@pytest.mark.parametrize("length", [5, 100_000])
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", None),
        ("Authorization: Bearer \r\n", None),
        ("Authorization: Bearer x\r\n", "invalid_api_key"),
    ],
)
def test_it_does_not_invite_a_body_without_a_key(
    server: LiveServer, length: int, key: str, code: str | None
) -> None:
    assert_refused(server.ask(post("/x", length, key + "Expect: 100-continue\r\n")), 401, code)


def test_it_invites_a_body_it_takes(server: LiveServer) -> None:
    client = server.send(post("/x", 5, KEY + "Expect: 100-continue\r\nConnection: close\r\n"))
    assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"hello")
    with client:
        assert Answer(read_to_end(client)).json["received"] == 5


def test_a_body_that_does_not_come_is_a_timeout(server: LiveServer) -> None:
    started = time.monotonic()
    assert_refused(server.ask(post("/x", 1000, KEY) + "only this"), 408, "request_timeout")
    assert 0.9 < time.monotonic() - started < 2.5


def test_a_body_that_comes_slowly_but_steadily_is_taken(server: LiveServer) -> None:
    client = server.send(post("/x", 800_000, KEY + "Connection: close\r\n"))
    for _ in range(20):
        client.sendall(bytes(40_000))
        time.sleep(0.1)
    with client:
        assert Answer(read_to_end(client)).json["received"] == 800_000


def test_nothing_is_left_of_uploads_that_were_broken_off(server: LiveServer) -> None:
    before = server.open_files
    for share in (0.1, 0.5, 0.99):
        client = server.send(post("/uploads/1", 2 * MB, KEY))
        client.sendall(bytes(int(2 * MB * share)))
        time.sleep(0.1)
        client.close()
    time.sleep(0.3)
    assert server.open_files == before
    assert json.loads(server.get("/statistics").body)["running"] == 1
