"""SIGTERM lets what runs finish, answers what is new with a 503, and exits with 0."""

from __future__ import annotations

import signal
import time

from .live import (
    Answer,
    accepted_socket,
    assert_refused,
    get,
    post,
    read_close_code,
    read_to_end,
    read_until,
    serving,
)


def test_running_streams_finish_and_new_requests_are_refused() -> None:
    with serving() as server:
        stream = server.send(get("/stream/20"))
        idle = server.send(get("/x"))
        read_until(idle, b"0\r\n\r\n")
        time.sleep(0.2)
        server.signal()
        time.sleep(0.2)
        refused = server.get("/v1/models")
        assert_refused(refused, 503, "shutting_down")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        unready = server.get("/readyz")
        assert unready.status == 503
        assert unready.json["reasons"] == ["draining"]
        assert server.get("/livez").status == 200
        assert idle.recv(100) == b""
        answer = Answer(read_to_end(stream))
        assert len(answer.body) == 20 * 7680
        assert server.wait() == 0
        assert server.said[-1] == "lifespan.shutdown running=0"
        stream.close()
        idle.close()


def test_a_request_on_a_kept_connection_is_told_to_close() -> None:
    with serving() as server:
        client = server.send(get("/slow/0.5"))
        time.sleep(0.2)
        server.signal()
        answer = Answer(read_to_end(client))
        assert answer.json == "at last"
        assert answer.headers["connection"] == "close"
        assert server.wait() == 0
        client.close()


def test_an_upload_that_was_let_in_is_served() -> None:
    with serving() as server:
        client = server.send(post("/x", 10) + "hello")
        time.sleep(0.2)
        server.signal()
        time.sleep(0.2)
        client.sendall(b"there")
        assert Answer(read_to_end(client)).json["received"] == 10
        assert server.wait() == 0
        client.close()


def test_web_sockets_are_sent_to_the_next_server() -> None:
    with serving() as server, accepted_socket(server, "/echo") as client:
        server.signal()
        assert read_close_code(client) == 1012
        assert server.wait() == 0


def test_what_does_not_finish_in_time_is_broken_off() -> None:
    with serving(drain_seconds=0.5) as server:
        client = server.send(get("/stream/1000"))
        time.sleep(0.2)
        started = time.monotonic()
        server.signal()
        received = read_to_end(client)
        assert not received.endswith(b"0\r\n\r\n")
        assert server.wait() == 0
        assert time.monotonic() - started < 2
        # It is told while the stream runs, so that it knows why the connection goes.
        assert "lifespan.shutdown running=1" in server.said
        client.close()


def test_an_application_that_ignores_the_end_is_cancelled() -> None:
    with serving(drain_seconds=0.2, close_seconds=0.5) as server:
        client = server.send(get("/deaf/0"))
        client.recv(1000)
        server.signal()
        assert server.wait(20) == 0
        client.close()


def test_a_second_signal_ends_at_once_and_resets_what_streams() -> None:
    with serving() as server:
        client = server.send("GET /stream/1000 HTTP/1.0\r\n\r\n")
        time.sleep(0.3)
        server.signal(signal.SIGINT)
        time.sleep(0.3)
        assert server.process.poll() is None
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 1
        assert time.monotonic() - started < 0.5
        try:
            while client.recv(65536):
                pass
        except ConnectionResetError:
            return
        finally:
            client.close()
        raise AssertionError("the stream seemed to end well")
