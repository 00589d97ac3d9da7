"""What cannot be read as one HTTP request without doubt is refused in JSON, and closed."""

from __future__ import annotations

import pytest

from .live import LiveServer, assert_refused, get, post, read_until

HOST = "Host: localhost\r\n"
BAD = {
    "length twice": post("/x", 5, "Content-Length: 5\r\n") + "hello",
    "two lengths": post("/x", 5, "Content-Length: 6\r\n") + "hello",
    "negative length": post("/x", -1),
    "length with a sign": f"POST / HTTP/1.1\r\n{HOST}Content-Length: +5\r\n\r\nhello",
    "length in hex": f"POST / HTTP/1.1\r\n{HOST}Content-Length: 0x5\r\n\r\nhello",
    "length list": f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5, 5\r\n\r\nhello",
    "length and chunked": post("/x", 5, "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
    "chunked and length": post("/x", None, "Content-Length: 5\r\n") + "0\r\n\r\n",
    "unknown coding": f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n",
    "identity": f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: identity\r\n\r\n",
    "chunked in 1.0": f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": post("/x", None) + "xyz\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": post("/x", None) + "-1\r\nhello\r\n0\r\n\r\n",
    "chunk without its end": post("/x", None) + "5\r\nhelloXX0\r\n\r\n",
    "endless chunk size": post("/x", None) + "0" * 5000,
    "header without colon": f"GET / HTTP/1.1\r\n{HOST}nonsense\r\n\r\n",
    "space before colon": f"GET / HTTP/1.1\r\n{HOST}Content-Length : 5\r\n\r\nhello",
    "folded header": f"GET / HTTP/1.1\r\n{HOST}X-A: 1\r\n Content-Length: 5\r\n\r\n",
    "control in a header": f"GET / HTTP/1.1\r\n{HOST}X-A: a\x0bb\r\n\r\n",
    "NUL in a header": f"GET / HTTP/1.1\r\n{HOST}X-A: a\x00b\r\n\r\n",
    "no request line": "nonsense\r\n\r\n",
    "no version": f"GET /\r\n{HOST}\r\n",
    "version 9": f"GET / HTTP/9.9\r\n{HOST}\r\n",
    "absolute target": f"GET http://localhost/ HTTP/1.1\r\n{HOST}\r\n",
    "star target": f"OPTIONS * HTTP/1.1\r\n{HOST}\r\n",
    "raw bytes in the path": f"GET /\xe9 HTTP/1.1\r\n{HOST}\r\n",
    "raw bytes in the query": f"GET /?\xe9 HTTP/1.1\r\n{HOST}\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "empty host": "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": f"GET / HTTP/1.1\r\n{HOST}Host: other\r\n\r\n",
    "host with a fragment": "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n",
    "host with a query": "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n",
    "host with a path": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with a user": "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "port too high": "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
}
GOOD_HOSTS = ["localhost", "localhost:8000", "[::1]", "[::1]:8000", "a.example", "A.EXAMPLE:443"]


@pytest.mark.parametrize("name", BAD)
def test_it_refuses_a_doubtful_request(server: LiveServer, name: str) -> None:
    assert_refused(server.ask(BAD[name]), 400, "invalid_body")


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_it_takes_a_proper_host(server: LiveServer, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert server.ask(request).status == 200


def test_nothing_behind_a_refused_request_is_served(server: LiveServer) -> None:
    smuggled = post("/x", 5, "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n" + get("/fill/1")
    answer = server.ask(smuggled)
    assert_refused(answer, 400, "invalid_body")
    assert answer.raw.count(b"HTTP/1.1") == 1


def test_it_refuses_a_long_url(server: LiveServer) -> None:
    assert_refused(server.ask(get("/" + "x" * 8192)), 414, "url_too_long")
    assert_refused(server.ask("GET /" + "x" * 100_000), 414, "url_too_long")


def test_it_refuses_large_headers(server: LiveServer) -> None:
    for headers in (
        f"X-A: {'x' * 65536}\r\n",
        "".join(f"X-A{i}: x\r\n" for i in range(1000)),
        "".join(f"X-A{i}: {'x' * 4000}\r\n" for i in range(10)),
    ):
        assert_refused(server.ask(get("/", headers)), 431, "headers_too_large")


def test_it_takes_a_body_in_chunks_of_one_byte(server: LiveServer) -> None:
    body = "".join("1\r\nx\r\n" for _ in range(2000)) + "0\r\n\r\n"
    request = post("/x", None, "Connection: close\r\n") + body
    assert server.ask(request).json["received"] == 2000


def test_it_keeps_a_connection_for_the_next_request(server: LiveServer) -> None:
    with server.connect() as client:
        for path in ("/a", "/b", "/c"):
            client.sendall(get(path).encode())
            assert path.encode() in read_until(client, b"0\r\n\r\n")


def test_http_1_0_is_answered_and_closed(server: LiveServer) -> None:
    answer = server.ask("GET /x HTTP/1.0\r\n\r\n")
    assert answer.status == 200
    assert answer.json["http_version"] == "1.0"


@pytest.mark.parametrize("pipelined", [False, True])
def test_context_variables_do_not_pass_from_request_to_request(
    server: LiveServer, pipelined: bool
) -> None:
    with server.connect() as client:
        if pipelined:
            client.sendall((get("/a") + get("/b")).encode())
            received = read_until(client, b"0\r\n\r\n")
            received += b"" if b'"/b"' in received else read_until(client, b"0\r\n\r\n")
        else:
            client.sendall(get("/a").encode())
            received = read_until(client, b"0\r\n\r\n")
            client.sendall(get("/b").encode())
            received += read_until(client, b"0\r\n\r\n")
    assert received.count(b'"before": null') == 2
