"""A stream leaves chunk by chunk, and one that breaks never looks complete."""

from __future__ import annotations

import shutil
import subprocess
import time

import httpx
import pytest

from .live import KEY, LiveServer, assert_refused, get, post, read_to_end, reset, unchunk

LIMITS = {"close_seconds": 0.5}
PHASES = {"waiting for the answer": "/slow/5", "in the stream": "/stream/100", "full": "/fill/500"}
LEAVE = {
    "FIN": lambda client: client.close(),
    "RST": reset,
    "half-close": lambda client: client.shutdown(1),
}


def test_it_sends_each_chunk_at_once(server: LiveServer) -> None:
    delays = []
    with (
        httpx.Client() as client,
        client.stream("GET", f"http://127.0.0.1:{server.port}/stream/8") as response,
    ):
        for chunk in response.iter_raw(7680):
            delays.append(time.monotonic_ns() - int(chunk[:20]))
    assert len(delays) == 8
    assert sorted(delays)[4] < 10e6
    assert max(delays) < 60e6


def test_it_ends_a_complete_stream_with_its_terminator(server: LiveServer) -> None:
    answer = server.get("/stream/3")
    assert len(answer.body) == 3 * 7680


@pytest.mark.parametrize("path", ["/broken/3", "/unfinished/0"])
def test_it_breaks_the_transfer_of_a_stream_that_broke(server: LiveServer, path: str) -> None:
    answer = server.ask(get(path))
    assert answer.status == 200
    with pytest.raises(ValueError, match="invalid literal"):
        unchunk(answer.raw.partition(b"\r\n\r\n")[2])


def test_it_resets_even_where_only_the_end_of_the_connection_marks_the_end(
    server: LiveServer,
) -> None:
    client = server.send("GET /broken/2 HTTP/1.0\r\n\r\n")
    with client, pytest.raises(ConnectionResetError):
        while client.recv(65536):
            pass


def test_httpx_sees_a_broken_transfer(server: LiveServer) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{server.port}/broken/3")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_sees_a_broken_transfer(server: LiveServer) -> None:
    command = ["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{server.port}/broken/3"]
    started = time.monotonic()
    assert subprocess.run(command, timeout=10).returncode in (18, 56)
    assert time.monotonic() - started < 2


def test_it_answers_an_exception_before_the_response_as_json(server: LiveServer) -> None:
    assert_refused(server.ask(get("/broken/0")), 500, "internal_error")


@pytest.mark.parametrize("leave", LEAVE)
@pytest.mark.parametrize("phase", PHASES)
def test_it_cancels_the_application_when_the_client_leaves(
    server: LiveServer, phase: str, leave: str
) -> None:
    client = server.send(get(PHASES[phase]))
    time.sleep(0.1)
    left = time.monotonic_ns()
    LEAVE[leave](client)
    cancelled = int(server.wait_for("cancelled", 3).split()[1])
    client.close()
    assert cancelled - left < 100e6


def test_it_ends_an_application_that_never_looks_whether_anybody_listens(
    server: LiveServer,
) -> None:
    client = server.send(get("/deaf/0"))
    client.recv(65536)
    reset(client)
    time.sleep(1.2)
    assert server.statistics["running"] == 1  # the one that counts


def test_it_answers_pipelined_requests_in_order(server: LiveServer) -> None:
    requests = get("/a") + get("/stream/2") + get("/b", "Connection: close\r\n")
    client = server.send(requests)
    received = read_to_end(client)
    client.close()
    assert received.index(b'"/a"') < received.index(b" " * 1000) < received.index(b'"/b"')


def test_a_client_that_has_all_that_was_declared_may_go_on_with_whatever_it_likes(
    server: LiveServer,
) -> None:
    client = server.send(get("/declared/9"))
    received = b""
    while not received.endswith(b"x" * 9):
        received += client.recv(65536)
    client.sendall(post("/a", 100_000, f"{KEY}Connection: close\r\n").encode() + bytes(100_000))
    answer = read_to_end(client)
    client.close()
    assert b'"received": 100000' in answer


def test_it_drops_a_client_that_sends_on_while_it_is_answered(server: LiveServer) -> None:
    client = server.send(get("/slow/5") + "x" * 100_000)
    server.wait_for("cancelled", 3)
    client.close()


@pytest.mark.slow
def test_nothing_grows_over_thousands_of_requests_of_which_many_are_broken_off(
    server: LiveServer,
) -> None:
    def mixed(count: int) -> None:
        for index in range(count):
            path = ("/x", "/stream/1", "/slow/5", "/fill/500", "/broken/1")[index % 5]
            client = server.send(get(path, "Connection: close\r\n"))
            if path in ("/slow/5", "/fill/500"):
                reset(client)
            else:
                read_to_end(client)
                client.close()

    def settled() -> tuple[int, int, int]:
        time.sleep(1)
        return server.open_files, server.statistics["tasks"], server.rss

    mixed(1000)
    files, tasks, rss = settled()
    mixed(2000)
    files_after, tasks_after, rss_after = settled()
    assert (files_after, tasks_after) == (files, tasks)
    assert rss_after - rss < 2 * 1024 * 1024
