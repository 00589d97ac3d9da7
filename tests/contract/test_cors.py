"""Pages of other sites may call the OpenAI face with a key; never the rest, nor with cookies."""

from __future__ import annotations

import pytest

from tests.contract.conftest import PAGE

SENT = "authorization, cache-control, content-type, openai-organization, x-stainless-lang"


@pytest.fixture
def http(server, live_key):
    with server.http(live_key) as http:
        http.headers["origin"] = PAGE
        yield http


def preflight(server, path, origin=PAGE):
    asks = {"access-control-request-method": "POST", "access-control-request-headers": SENT}
    with server.http() as http:
        return http.options(path, headers={"origin": origin, **asks})


@pytest.mark.parametrize(
    "path", ["/v1/audio/speech", "/audio/speech/", "/v1/models/tts-1", "/models"]
)
def test_a_page_may_ask_first_and_needs_no_key_for_that(server, path):
    answer = preflight(server, path)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    # The star stands for every header but Authorization.
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "*"} <= set(allowed)
    assert "access-control-allow-credentials" not in answer.headers


def test_a_page_may_read_what_speech_tells_in_headers(http):
    body = {"model": "tts-1", "voice": "alloy", "input": "Good evening."}
    answer = http.post("/v1/audio/speech", json=body)
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"x-request-id", "retry-after", "x-ratelimit-remaining-requests", "x-seed"} <= exposed


def test_a_page_may_read_errors(http):
    answer = http.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/api/speech", "/api/usage", "/admin/", "/", "/health"])
def test_a_page_may_not_read_the_rest(server, http, path):
    assert "access-control-allow-origin" not in http.get(path).headers
    assert "access-control-allow-origin" not in preflight(server, path).headers


def test_pages_may_be_named(closed_server):
    named = preflight(closed_server, "/v1/audio/speech")
    assert named.headers["access-control-allow-origin"] == PAGE
    assert "origin" in named.headers["vary"]
    other = preflight(closed_server, "/v1/audio/speech", "https://evil.example.com")
    assert "access-control-allow-origin" not in other.headers
