"""The way into the MCP face: keys, hosts, pages, sizes, rates, sessions and broken messages."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import psutil
import pytest

from tests.contract.mcp_client import SESSION, Bare, request, speak
from tests.live import LiveServer

LIST = request("tools/list")


@pytest.fixture
def bare(server, live_key):
    """A client in a session of its own."""
    with Bare(server, live_key) as bare:
        assert bare.initialize().status_code == 200
        yield bare


def error_of(answer):
    return answer.json()["error"]


@pytest.mark.parametrize("message", [LIST, speak("Hello."), speak("Hello.", api_key="vox_x")])
def test_without_a_key_nothing_is_answered_wherever_else_one_stands(server, live_key, message):
    message["params"] = message["params"] | {"_meta": {"authorization": f"Bearer {live_key}"}}
    with Bare(server) as stranger:
        answer = stranger.post(message)
    assert answer.status_code == 401
    assert error_of(answer)["code"] is None


@pytest.mark.parametrize("key", ["revoked", "expired", "account off", "elsewhere"])
def test_a_key_that_is_no_longer_good_is_refused(server, keys, key):
    with Bare(server, keys[key]) as bare:
        assert bare.initialize().status_code == (403 if key == "elsewhere" else 401)


def test_a_key_revoked_during_a_session_ends_it(server, live_key, keys, bare):
    answer = bare.post(LIST, authorization=f"Bearer {keys['revoked']}")
    assert answer.status_code == 401


def test_a_foreign_host_is_refused(bare):
    assert bare.post(LIST, host="rebound.example.com").status_code == 400


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://127.0.0.1:1", "null"])
def test_a_foreign_page_is_refused(bare, origin):
    answer = bare.post(LIST, origin=origin)
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "not_allowed"


def test_our_own_pages_may(bare, server):
    assert bare.post(LIST, origin=server.url).status_code == 200


def test_a_large_body_is_refused(bare):
    assert bare.post(speak("a" * (1024 * 1024))).status_code == 413


def test_there_is_no_stream_to_get(bare):
    answer = bare.http.get("/mcp")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, DELETE")


def test_the_rate_of_a_key_holds_here_too(server, keys):
    with Bare(server, keys["one a minute"]) as bare:
        # The minute may turn once between them.
        answers = [bare.post(LIST) for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert error_of(refused[0])["code"] == "rate_limit_exceeded"
    assert refused[0].headers["x-ratelimit-limit-requests"] == "1"


# -- sessions


def test_a_session_is_nobody_elses(server, keys, bare):
    with Bare(server, keys["good"], **{SESSION: bare.http.headers[SESSION]}) as other:
        assert other.post(LIST).status_code == 404
        assert other.http.delete("/mcp").status_code == 404
    assert bare.post(LIST).status_code == 200


def test_a_session_that_never_was_is_not_found(server, live_key):
    with Bare(server, live_key, **{SESSION: "0" * 32}) as bare:
        assert bare.post(LIST).status_code == 404


def test_a_session_that_has_ended_is_not_found(bare):
    assert bare.http.delete("/mcp").status_code == 200
    assert bare.post(LIST).status_code == 404


# -- messages

BROKEN = [
    [LIST] * 1000,
    request("tools/list", id=None),
    request("tools/list", id=1.5),
    request("tools/list", id=[1]),
    request("tools/list", id=True),
    "tools/list",
]


@pytest.mark.parametrize("message", BROKEN)
def test_a_broken_message_is_refused_and_the_session_lives_on(bare, message):
    answer = bare.post(message)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == -32600
    assert bare.post(LIST).status_code == 200


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b"\xff\xfe", b'{"a":' * 50 + b"1" + b"}" * 50]
)
def test_what_is_no_json_is_refused(bare, body):
    kind = {"content-type": "application/json"}
    answer = bare.http.post("/mcp", content=body, headers=kind)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == -32700


def test_a_number_in_use_harms_nobody(bare):
    for _ in range(3):
        assert bare.post(request("tools/list", id="same")).status_code == 200


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (request("tools/everything"), -32601),
        (request("tools/call", {"name": 5}), -32602),
        (request("tools/call", {"name": "speak", "arguments": [1]}), -32602),
        (request("tools/call", {"arguments": {}}), -32602),
    ],
)
def test_an_unknown_method_and_wrong_parameters_have_their_codes(bare, message, code):
    answer = bare.post(message)
    assert answer.status_code == 200
    assert f'"code":{code}' in answer.text


def test_every_answer_is_named_and_none_is_a_page(bare):
    for answer in (bare.post(LIST), bare.post("x"), bare.http.get("/mcp"), bare.post([])):
        assert answer.headers["x-request-id"]
        assert "html" not in answer.headers["content-type"]


@pytest.mark.slow
def test_the_settings_cap_sessions_and_audio(data_dir, live_key):
    caps = {"MCP_SESSIONS": "2", "MCP_AUDIO_BYTES": "1000", "MCP_LINK_BYTES": "0"}
    with LiveServer(data_dir, caps) as server, ExitStack() as clients:
        bares = [clients.enter_context(Bare(server, live_key)) for _ in range(3)]
        assert [bare.initialize().status_code for bare in bares] == [200, 200, 503]
        assert "exceeds 1000 bytes" in bares[0].post(speak("Hello there.")).text
        bares[1].http.delete("/mcp")
        assert bares[2].initialize().status_code == 200


@pytest.mark.slow
def test_answers_that_are_opened_and_dropped_leave_nothing(server, live_key, bare):
    """A thousand clients leave before their answer; then some end a session that still speaks."""
    process = psutil.Process(server.process.pid)
    message = bare.http.build_request("POST", "/mcp", json=speak("On and on. " * 60, format="opus"))
    lines = [f"{name}: {value}" for name, value in message.headers.items()]
    request_bytes = "\r\n".join(["POST /mcp HTTP/1.1", *lines, "", ""]).encode() + message.read()

    def drop(count):
        for _ in range(count):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(request_bytes)

    drop(1000)  # as much memory as so many at once take
    memory, files = settled(process, server, live_key)
    drop(1000)
    assert bare.post(LIST).status_code == 200
    after, open_after = settled(process, server, live_key)
    assert after < memory + 10 * 2**20
    assert open_after <= files + 2
    for _ in range(20):
        with Bare(server, live_key) as ending:
            ending.initialize()
            ending.hang_up(speak("On and on. " * 60, noted=True))
            assert ending.http.delete("/mcp").status_code == 200
    assert bare.post(LIST).status_code == 200
    assert server.process.poll() is None


def settled(process, server, key):
    """Memory and open files once nobody is being spoken to."""
    deadline = time.monotonic() + 60
    while server.get("/api/engine", key).json()["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)
    return process.memory_info().rss, process.num_fds()
