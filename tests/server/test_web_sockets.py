"""WebSockets: bounded in both directions, closed with the code that says why."""

from __future__ import annotations

import json
import time

import pytest

from .live import (
    Answer,
    LiveServer,
    accepted_socket,
    assert_refused,
    frame,
    get,
    open_socket,
    read_close_code,
    read_frame,
    read_to_end,
    serving,
)

MB = 1024 * 1024
LIMITS = {"message_seconds": 0.5, "lag_seconds": 1}


def test_it_carries_messages_and_tells_the_scope(server: LiveServer) -> None:
    with accepted_socket(server, "/echo") as client:
        client.sendall(frame(b"hello") + frame(b"scope"))
        assert read_frame(client) == (1, b"hello")
        scope = json.loads(read_frame(client)[1])
        assert scope == {
            "scheme": "ws",
            "client": ["127.0.0.1", client.getsockname()[1]],
            "path": "/echo",
        }
        client.sendall(frame(b"\x03\xe8", opcode=8))
        assert read_close_code(client) == 1000
    server.wait_for("socket closed 1000")


def test_it_takes_frames_sent_before_the_handshake_is_answered(server: LiveServer) -> None:
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    with server.send(get("/echo", upgrade).encode() + frame(b"early")) as client:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        assert read_frame(client) == (1, b"early")


def test_the_application_learns_at_once_that_the_client_left(server: LiveServer) -> None:
    client = accepted_socket(server, "/echo")
    client.close()
    server.wait_for("socket closed 1006", 1)


def test_it_refuses_in_json(server: LiveServer) -> None:
    with open_socket(server, "/refusing") as client:
        assert_refused(Answer(read_to_end(client)), 403, "not_allowed")


def test_it_refuses_a_broken_handshake_in_json(server: LiveServer) -> None:
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\n"
    assert_refused(server.ask(get("/echo", upgrade)), 400, "invalid_body")


def test_an_application_that_fails_closes_with_1011(server: LiveServer) -> None:
    with accepted_socket(server, "/broken") as client:
        client.sendall(frame(b"x"))
        assert read_close_code(client) == 1011


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"", length=MB + 1), 1009),
        (frame(b"", length=1 << 40), 1009),
        (frame(bytes(600_000), final=False) + frame(bytes(600_000), opcode=0), 1009),
        (frame(b"\xff\xfe"), 1007),
        (frame(b"x", opcode=3), 1002),
        (b"\x81\x05hello", 1002),
        (b"\xc1" + frame(b"x")[1:], 1002),
        (frame(b"x" * 126, opcode=9), 1002),
    ],
    ids=["long", "absurd", "fragments", "utf-8", "opcode", "unmasked", "compressed", "ping"],
)
def test_it_closes_on_what_the_protocol_forbids(server: LiveServer, sent: bytes, code: int) -> None:
    with accepted_socket(server, "/echo") as client:
        client.sendall(sent)
        assert read_close_code(client) == code


@pytest.mark.parametrize(
    "flood",
    [
        frame(b"x") * 2000,
        frame(b"", opcode=9) * 2000,
        frame(b"x", final=False) + frame(b"x", opcode=0, final=False) * 2000,
    ],
    ids=["messages", "pings", "fragments"],
)
def test_it_closes_on_a_flood_of_frames(server: LiveServer, flood: bytes) -> None:
    with accepted_socket(server, "/echo") as client:
        client.sendall(flood)
        assert read_close_code(client) == 1008


def test_an_application_that_is_speaking_then_does_not_fail() -> None:
    with serving() as server, accepted_socket(server, "/talking") as client:
        client.sendall(frame(b"x") * 2000)
        assert read_close_code(client) == 1008
        assert server.get("/x").status == 200  # it had its turn, and may have failed
        assert not any("Disconnected" in line for line in server.errors), server.errors


def test_a_flood_of_long_messages_is_not_read_and_then_closed(server: LiveServer) -> None:
    before, sent = server.rss, 0
    with accepted_socket(server, "/slow") as client:
        client.settimeout(0.2)
        message, started = frame(b"x" * 60_000), time.monotonic()
        try:
            while time.monotonic() < started + 0.8:
                sent += client.send(message)
        except TimeoutError:
            pass
        assert sent < 12 * MB, "the socket was read on"
        assert server.rss - before < 5 * MB
        client.settimeout(5)
        assert read_close_code(client) == 1008
    assert server.get("/x").status == 200


def test_a_message_that_is_never_finished_is_closed(server: LiveServer) -> None:
    for unfinished in (frame(b"x", final=False), frame(b"x", length=1000)):
        with accepted_socket(server, "/echo") as client:
            client.sendall(unfinished)
            assert read_close_code(client) == 1008


def test_fragments_that_never_end_are_closed_however_slowly_they_come(server: LiveServer) -> None:
    with accepted_socket(server, "/echo") as client:
        client.sendall(frame(b"x", final=False))
        with pytest.raises(ConnectionError):
            for _ in range(200):
                client.sendall(frame(b"x", opcode=0, final=False))
                time.sleep(0.02)
    assert server.get("/x").status == 200


def test_a_message_as_long_as_may_be_comes_through(server: LiveServer) -> None:
    with accepted_socket(server, "/echo") as client:
        client.sendall(frame(b"x" * MB))
        opcode, payload = read_frame(client)
        assert (opcode, len(payload)) == (1, MB)


@pytest.mark.slow
def test_a_peer_that_answers_no_ping_is_cut_and_one_that_does_is_not() -> None:
    with serving(ping_seconds=0.5, pong_seconds=1) as server:
        quiet, alive = (accepted_socket(server, "/echo") for _ in range(2))
        with quiet, alive:
            began = time.monotonic()
            while time.monotonic() < began + 4:
                opcode, payload = read_frame(alive)
                assert opcode == 9
                alive.sendall(frame(payload, opcode=10))
            server.wait_for("socket closed", 0.1)
            read_to_end(quiet)  # it ends
            alive.sendall(frame(b"here"))
            while (got := read_frame(alive)) != (1, b"here"):
                assert got[0] == 9


@pytest.mark.slow
def test_a_peer_that_never_reads_costs_little_and_is_cut() -> None:
    with serving(stall_seconds=2) as server:
        before, files = server.rss, server.open_files
        clients = [accepted_socket(server, "/talking", receive_buffer=4096) for _ in range(10)]
        time.sleep(1)
        assert server.rss - before < 10 * MB
        time.sleep(4)
        assert server.open_files <= files + 1
        for client in clients:
            client.close()


@pytest.mark.slow
def test_pings_that_nobody_reads_the_answers_of_are_not_collected() -> None:
    with serving(frame_rate=1_000_000, frame_burst=1_000_000) as server:
        before = server.rss
        with accepted_socket(server, "/echo", receive_buffer=4096) as client:
            client.settimeout(0.3)
            pings = frame(b"x" * 125, opcode=9) * 1000
            with pytest.raises(TimeoutError):
                for _ in range(400):
                    client.sendall(pings)
        assert server.rss - before < 5 * MB
