"""The WebSocket of long texts against those who abuse it, byte by byte, on the whole platform."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from tests.contract.sockets import raw_socket
from tests.contract.test_progress import SHORT, http, job_of  # noqa: F401  # pytest finds it here
from tests.faults.invariants import MEGABYTE, resident_bytes
from tests.server.live import frame, read_close_code, read_frame

TEXT, CLOSE = 1, 8
ESTABLISHED = 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"x" * (2 * MEGABYTE)), 1009),
        (frame(b"", length=MEGABYTE + 1), 1009),
        (frame(b"x", final=False) + frame(b"x", opcode=0, final=False) * 100_000, 1008),
        (frame(b"{}") * 100_000, 1008),
        (frame(b"\xff\xfe"), 1007),
        (b"\x81\x02{}", 1002),
        (b"\xc1" + frame(b"{}")[1:], 1002),
        (frame(b"x", opcode=3), 1002),
    ],
    ids=["2 MiB", "1 MiB + 1", "fragments", "flood", "utf-8", "unmasked", "compressed", "opcode"],
)
def test_it_is_closed_with_the_code_that_says_why(server, keys, sent, code):
    before = resident_bytes(server.process.pid)
    with raw_socket(server, keys["good"]) as client:
        with suppress(ConnectionError):  # it may be closed before all of it was sent
            client.sendall(sent)
        assert read_close_code(client) == code
    assert resident_bytes(server.process.pid) - before < 5 * MEGABYTE
    assert server.get("/livez").status_code == 200


def test_a_message_as_long_as_may_be_is_answered(server, keys):
    with raw_socket(server, keys["good"]) as client:
        client.sendall(frame(b"x" * MEGABYTE))
        opcode, told = read_frame(client)
        assert (opcode, json.loads(told)["type"]) == (TEXT, "error")


@pytest.mark.slow
def test_a_message_that_is_held_open_ends_after_thirty_seconds(server, keys):
    with ExitStack() as stack:
        held = [stack.enter_context(raw_socket(server, keys["good"])) for _ in range(3)]
        began = time.monotonic()
        for client, unfinished in zip(
            held,
            (frame(b"x", final=False), frame(b"", length=1000), frame(b"x", final=False)),
            strict=True,
        ):
            client.settimeout(60)
            client.sendall(unfinished)
        while time.monotonic() < began + 25:  # one of them goes on, for ever
            held[2].sendall(frame(b"x", opcode=0, final=False))
            time.sleep(0.5)
        assert [read_close_code(client) for client in held] == [1008] * 3
        assert 29 < time.monotonic() - began < 45


@pytest.mark.slow
def test_who_never_reads_costs_next_to_nothing_and_is_cut(server, keys, http):  # noqa: F811
    job = job_of(http, SHORT, start=False)
    asked = frame(json.dumps({"type": "subscribe", "job": job}).encode())
    before = resident_bytes(server.process.pid)
    with ExitStack() as stack:
        deaf = [
            stack.enter_context(raw_socket(server, keys["good"], receive_buffer=2048))
            for _ in range(30)
        ]
        for client in deaf:
            client.sendall(asked)
        changes, began = 0, time.monotonic()
        while not all(map(is_cut, deaf)):
            assert time.monotonic() - began < 90
            changes += 1
            text = {"text": f"{changes} words."}
            http.patch(f"/api/jobs/{job}/segments/0", json=text).raise_for_status()
            assert resident_bytes(server.process.pid) - before < 10 * MEGABYTE
            time.sleep(0.1)
    http.delete(f"/api/jobs/{job}")


def is_cut(client: socket.socket) -> bool:
    """Whether the server has given the connection up. Reads nothing of what was sent."""
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED
