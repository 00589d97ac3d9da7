"""Bad headers and framing on raw sockets, each with the exact answer, against the live platform."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

import pytest

from tests.faults.invariants import Trace

GOOD = json.dumps(
    {"model": "tts-1", "voice": "alloy", "input": "Fine.", "response_format": "pcm"}
).encode()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        return json.loads(self.body)["error"]["code"]


def raw(server, request: bytes, timeout: float = 20) -> Answer:
    """Send bytes as they are and read until the server closes or the answer is whole."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as file:
            status = int(file.readline().split()[1])
            headers = {}
            while line := file.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            length = headers.get("content-length")
            body = file.read(int(length)) if length else file.read()
    return Answer(status, headers, body)


def request(path="/v1/models", *lines: str, method="GET", body=b"", host="127.0.0.1") -> bytes:
    head = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else [])]
    return "\r\n".join([*head, *lines, "Connection: close", "", ""]).encode("latin-1") + body


def post(key: str, *lines: str, body: bytes = GOOD, length: bool = True) -> bytes:
    sized = [f"Content-Length: {len(body)}"] if length else []
    fixed = [f"Authorization: Bearer {key}", "Content-Type: application/json", *sized]
    return request("/v1/audio/speech", *fixed, *lines, method="POST", body=body)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "Daphne-Root-Path: /evil",
        "X-Forwarded-For: 203.0.113.9",
        "X_Forwarded_For: 203.0.113.9",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=203.0.113.9;proto=https;host=evil.example",
    ],
)
def test_headers_that_only_a_proxy_may_send_change_nothing(server, line):
    plain = raw(server, request("/docs"))
    forged = raw(server, request("/docs", line))
    assert forged.status == 200
    assert forged.body == plain.body
    assert b"evil" not in forged.body


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:99999", "127.0.0.1#x", "127.0.0.1/?", "[::1", ""]
)
def test_a_foreign_or_malformed_host_is_refused_in_json(server, host):
    answer = raw(server, request(host=host))
    assert answer.status == 400
    assert set(json.loads(answer.body)["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]


def test_a_missing_host_is_refused(server):
    assert raw(server, request(host=None)).status == 400


def test_a_lone_lf_or_garbage_is_no_request(server):
    answer = raw(server, b"GARBAGE\r\n\r\n")
    assert answer.status == 400
    assert answer.headers.get("content-type", "").startswith("application/json")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Content-Length: 5", "Content-Length: 6"], 400),
        (["Content-Length: -1"], 400),
        (["Content-Length: x"], 400),
        (["Content-Length: 5", "Transfer-Encoding: chunked"], 400),
        (["Transfer-Encoding: chunked, gzip"], 400),
        (["Content-Length: 99999999999"], 413),
    ],
)
def test_an_ambiguous_or_impossible_length_is_refused(server, live_key, data_dir, lines, status):
    before = Trace.at_rest(data_dir)
    answer = raw(server, post(live_key, *lines, body=b"hello", length=False))
    assert answer.status == status
    assert answer.headers["x-request-id"]
    assert set(json.loads(answer.body)["error"]) == {"message", "type", "param", "code"}
    assert Trace.of(data_dir) == before


def test_a_bad_chunk_size_is_refused(server, live_key):
    body = b"zz\r\nhello\r\n0\r\n\r\n"
    answer = raw(server, post(live_key, "Transfer-Encoding: chunked", body=body, length=False))
    assert answer.status == 400


def test_chunks_of_one_byte_are_only_slow(server, live_key):
    chunks = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in GOOD) + b"0\r\n\r\n"
    answer = raw(server, post(live_key, "Transfer-Encoding: chunked", body=chunks, length=False))
    assert answer.status == 200


def test_an_oversize_body_that_expects_100_is_refused_without_one(server, live_key):
    lines = ["Expect: 100-continue", f"Content-Length: {50 * 1024 * 1024}"]
    answer = raw(server, post(live_key, *lines, body=b"", length=False))
    assert (answer.status, answer.code) == (413, "payload_too_large")


def test_a_large_body_without_a_key_is_refused_without_100(server):
    lines = ["Expect: 100-continue", "Content-Type: application/json", "Content-Length: 900000"]
    answer = raw(server, request("/v1/audio/speech", *lines, method="POST"))
    assert answer.status == 401


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([f"X-Filler-{number}: x" for number in range(1000)], 431),
        (["X-Filler: " + "x" * 65_536], 431),
    ],
)
def test_too_many_or_too_long_headers_are_refused(server, lines, status):
    assert raw(server, request("/livez", *lines)).status == status


def test_too_long_a_url_is_refused(server):
    assert raw(server, request("/v1/models?" + "x" * 10_000)).status == 414


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Authorization: Bearer {key} "], 200),
        (["authorization: bearer {key}"], 200),
        (["Authorization: Bearer {key}", "Authorization: Bearer {key}"], 401),
        (["Authorization: Basic {key}"], 401),
        (["Authorization: Bearer Bearer {key}"], 401),
        (["Authorization: Bearer \xe9\xe8\xff"], 401),
        (["Authorization: Bearer "], 200),
        (["Authorization:"], 200),
    ],
)
def test_an_authorization_header_is_taken_literally(server, live_key, lines, status):
    """Models may be listed without a key, so an empty one is nobody and a wrong one is refused."""
    answer = raw(server, request("/v1/models", *(line.format(key=live_key) for line in lines)))
    assert answer.status == status


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1", "/api/x", "/v1/audio/speech/x"])
def test_an_unknown_url_is_json(server, live_key, path):
    answer = raw(server, request(path, f"Authorization: Bearer {live_key}"))
    assert (answer.status, answer.code) == (404, "unknown_url")


def test_a_lower_case_method_is_no_method(server, live_key):
    sent = post(live_key).replace(b"POST", b"post", 1)
    answer = raw(server, sent)
    assert (answer.status, answer.code) == (400, "invalid_body")
