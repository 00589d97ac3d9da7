"""What the SDKs do when told to come back, or not to: how often they ask, and when."""

from __future__ import annotations

import pytest

SPEECH = {"model": "tts-1", "voice": "alloy", "input": "Good evening."}


@pytest.fixture
def busy_stream(server, keys):
    """The one stream a key may hold is held."""
    body = SPEECH | {"input": "This sentence goes on. " * 80, "response_format": "pcm"}
    http = server.http(keys["one stream"])
    with http, http.stream("POST", "/v1/audio/speech", json=body) as held:
        assert held.status_code == 200, held.read()
        yield


def test_one_stream_too_many_is_tried_again_when_we_said(sdk, server, keys, busy_stream):
    answer = sdk.ask("create", server.url, keys["one stream"], retries=2, **SPEECH)
    assert answer.error["code"] == "concurrency_limit_exceeded"
    first, second, third = answer["sent"]
    assert 0.95 < second - first < 1.95
    assert 0.95 < third - second < 1.95


@pytest.mark.parametrize(
    ("key", "code"), [("no quota", "insufficient_quota"), ("revoked", "invalid_api_key")]
)
def test_what_waiting_does_not_mend_is_asked_once(sdk, server, keys, key, code):
    answer = sdk.ask("create", server.url, keys[key], retries=2, **SPEECH)
    assert answer.error["code"] == code
    assert len(answer["sent"]) == 1


def test_a_failed_synthesis_is_tried_again(sdk, server, keys, faults):
    faults(raise_at=0, times=1)
    answer = sdk.ask("create", server.url, keys["good"], retries=2, **SPEECH)
    assert answer.body
    assert len(answer["sent"]) == 2
