"""Every answer of the API that is an error is OpenAI's envelope in JSON, whatever was asked."""

from __future__ import annotations

import json
import re

import pytest

SPEECH = "/v1/audio/speech"
GOOD = {"model": "tts-1", "voice": "alloy", "input": "Good evening."}
JSON = {"content-type": "application/json"}
# What must never be told: addresses, places, traces, names of classes.
LEAKS = re.compile(r"0x[0-9a-f]{6}|/tmp|/home|/work|Traceback|Exception|\.py|<html|<!DOCTYPE", re.I)


def check(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert error["message"]
    assert not LEAKS.search(answer.text)
    return error


@pytest.fixture
def http(server, live_key):
    with server.http(live_key) as http:
        yield http


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v1/audio/nothing",
        "/v1/audio/speech/more",
        "/v1/chat/completions",
        "/v1/%00",
        "/v1/..%2f..%2fetc%2fpasswd",
        "/v1//audio/speech",
        "/api",
        "/api/",
        "/api/nothing",
        "/audio/nothing",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_url_is_a_404(http, method, path):
    check(http.request(method, path), 404, "unknown_url")


@pytest.mark.parametrize("path", [SPEECH, "/audio/speech/", "/api/speech"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_wrong_method_names_the_right_one(http, method, path):
    answer = http.request(method, path)
    check(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]
    assert method not in answer.headers["allow"]


def test_a_head_request_of_speech_is_refused_without_a_body(http):
    answer = http.head(SPEECH)
    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize("path", ["/v1/models", "/api/usage", "/api/engine"])
def test_a_listing_cannot_be_written_to(http, path):
    answer = http.post(path, json={})
    check(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", [SPEECH, "/api/speech"])
@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", JSON, 400, "invalid_body"),
        (b"[]", JSON, 400, "invalid_body"),
        (b"{", JSON, 400, "invalid_json"),
        (b'{"a":1}{"a":2}', JSON, 400, "invalid_json"),
        (b"\xff\xfe", JSON, 400, "invalid_json"),
        (b"[" * 100_000, JSON, 400, "invalid_json"),
        (b'{"input":"a","input":"b"}', JSON, 400, "duplicate_key"),
        (b"{}", JSON, 400, "missing_required_parameter"),
        (b"input=a", {"content-type": "application/x-www-form-urlencoded"}, 400, None),
        (b"{}", {"content-type": "text/plain"}, 400, None),
        (b"{}", {"content-type": "multipart/form-data"}, 400, None),
        (b"{}", {}, 400, None),
        (b"{}", JSON | {"content-encoding": "gzip"}, 415, "unsupported_content_encoding"),
        (b"x" * (1 << 20) + b"x", JSON, 413, "payload_too_large"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_body_we_cannot_take_is_refused(http, path, body, headers, status, code):
    answer = http.post(path, content=body, headers=headers)
    check(answer, status, code or "unsupported_content_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"']
)
def test_a_charset_is_no_other_content_type(http, kind):
    body = json.dumps(GOOD).encode()
    assert http.post(SPEECH, content=body, headers={"content-type": kind}).status_code == 200


@pytest.mark.parametrize(("length", "code"), [(4096, "unknown_voice"), (4097, "input_too_long")])
@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_the_length_of_the_input_is_counted_in_code_points(http, length, code, character):
    """Nothing needs to be spoken for it: that a voice is unknown is noticed after the length."""
    body = {**GOOD, "input": character * length, "voice": "nobody"}
    check(http.post(SPEECH, json=body), 400, code)


def test_a_foreign_host_is_refused_in_json(http):
    check(http.get("/v1/models", headers={"host": "evil.example.com"}), 400, "invalid_value")


def test_an_error_of_the_engine_tells_nothing_of_itself(http, faults):
    faults(raise_at=0)
    check(http.post(SPEECH, json=GOOD), 500, "synthesis_failed")


@pytest.mark.parametrize("path", ["/", "/v1/models", "/livez", "/readyz", "/health", "/nothing"])
def test_every_answer_has_an_id(server, path):
    with server.http() as http:
        assert http.get(path).headers["x-request-id"].startswith("req_")


def test_the_id_of_an_answer_is_the_one_in_the_log(server, http):
    name = "contract-test.1"
    http.get("/v1/models", headers={"x-request-id": name})
    assert name in server.log
