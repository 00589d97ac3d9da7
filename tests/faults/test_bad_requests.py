"""Bad bodies and fields of a speech request, each with the exact answer, against a live process.

Whatever is sent: nothing is lost, nothing is left, nothing is charged, and the next one speaks.
"""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import dataclass, field

import pytest

from tests.faults.invariants import MEGABYTE, Trace, deleted_files_held_open, resident_bytes

GOOD = {"model": "tts-1", "voice": "alloy", "input": "All is well.", "response_format": "wav"}
JSON = "application/json"


@dataclass(frozen=True)
class Bad:
    """A request and the row of the error table it must meet."""

    name: str
    status: int
    code: str | None
    param: str | None = None
    fields: dict = field(default_factory=dict)
    body: bytes | None = None
    headers: dict = field(default_factory=dict)
    method: str = "POST"
    type: str = "invalid_request_error"

    @property
    def content(self) -> bytes:
        return json.dumps({**GOOD, **self.fields}).encode() if self.body is None else self.body


def value(name: str, param: str, bad: object, code: str = "invalid_value") -> Bad:
    return Bad(f"{param} {name}", 400, code, param, fields={param: bad})


BODIES = [
    Bad("empty body", 400, "invalid_body", body=b""),
    Bad("null", 400, "invalid_body", body=b"null"),
    Bad("a list", 400, "invalid_body", body=b"[]"),
    Bad("a string", 400, "invalid_body", body=b'"x"'),
    Bad("cut short", 400, "invalid_json", body=b'{"input": "a'),
    Bad("trailing bytes", 400, "invalid_json", body=b'{"input": "a"} x'),
    Bad("two documents", 400, "invalid_json", body=b"{}{}"),
    Bad("100,000 lists deep", 400, "invalid_json", body=b"[" * 100_000 + b"]" * 100_000),
    Bad("33 objects deep", 400, "invalid_json", body=b'{"input":' * 33 + b"1" + b"}" * 33),
    Bad(
        "deep inside input",
        400,
        "invalid_json",
        body=b'{"model":"tts-1","input":' + b"[" * 40 + b"]" * 40 + b"}",
    ),
    Bad("duplicate key", 400, "duplicate_key", "input", body=b'{"input":"a","input":"b"}'),
    Bad("invalid UTF-8", 400, "invalid_json", body=b'{"model":"tts-1","input":"\xff\xfe"}'),
    Bad("UTF-16", 400, "invalid_json", body=json.dumps(GOOD).encode("utf-16")),
    Bad(
        "an unknown charset",
        400,
        "invalid_json",
        headers={"content-type": "application/json; charset=bogus"},
    ),
    Bad("gzip", 415, "unsupported_content_encoding", headers={"content-encoding": "gzip"}),
    Bad(
        "a gzip bomb",
        415,
        "unsupported_content_encoding",
        headers={"content-encoding": "gzip"},
        body=gzip.compress(bytes(50 * MEGABYTE)),
    ),
    Bad("brotli", 415, "unsupported_content_encoding", headers={"content-encoding": "br"}),
    Bad("no content type", 400, "unsupported_content_type", headers={"content-type": ""}),
    Bad("plain text", 400, "unsupported_content_type", headers={"content-type": "text/plain"}),
    Bad(
        "multipart without a boundary",
        400,
        "unsupported_content_type",
        headers={"content-type": "multipart/form-data"},
    ),
    Bad(
        "form-encoded JSON",
        400,
        "unsupported_content_type",
        headers={"content-type": "application/x-www-form-urlencoded"},
    ),
    Bad("3 MB", 413, "payload_too_large", body=b'"' + b"x" * 3 * MEGABYTE + b'"'),
    Bad("11 MB", 413, "payload_too_large", body=b'"' + b"x" * 11 * MEGABYTE + b'"'),
]
METHODS = [
    Bad(method, 405, "method_not_allowed", method=method, body=b"")
    for method in ("GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
]
NUMBERS = [
    Bad(
        "a digit, 5,000 times",
        400,
        "invalid_value",
        "speed",
        body=b'{"model":"tts-1","input":"a","speed":' + b"9" * 5000 + b"}",
    ),
    Bad(
        "1e999", 400, "invalid_value", "speed", body=b'{"model":"tts-1","input":"a","speed":1e999}'
    ),
    Bad("NaN", 400, "invalid_value", "speed", body=b'{"model":"tts-1","input":"a","speed":NaN}'),
    Bad(
        "-Infinity",
        400,
        "invalid_value",
        "speed",
        body=b'{"model":"tts-1","input":"a","speed":-Infinity}',
    ),
    *(
        value(repr(bad), "speed", bad)
        for bad in ("NaN", "inf", "1", True, [1], {}, 0, 0.2499, 4.0001, -1)
    ),
    *(value(repr(bad), "cfg_value", bad) for bad in (-1, 10.1, 1e308, "2", True)),
    *(value(repr(bad), "inference_timesteps", bad) for bad in (0, -1, 101, 1.5, 2**63, True)),
    *(value(repr(bad), "max_new_tokens", bad) for bad in (0, -5, 4097, 2.0)),
    *(value(repr(bad), "seed", bad) for bad in (-1, 2**63, 1.5, "1", -0.0)),
    *(value(repr(bad), "sample_rate", bad) for bad in (0, 1, 7999, 48_001, 24_000.5)),
    Bad(
        "sample_rate with mp3",
        400,
        "invalid_value",
        "sample_rate",
        fields={"sample_rate": 24_000, "response_format": "mp3"},
    ),
    *(value(repr(bad), "normalize", bad) for bad in ("yes", 1, [])),
]
TEXTS = [
    *(value(repr(bad), "input", bad) for bad in (5, True, [], {}, ["a"])),
    value("null", "input", None, "missing_required_parameter"),
    value("empty", "input", "", "empty_input"),
    value("spaces", "input", " \t\n ", "empty_input"),
    value("zero-width space", "input", "\u200b", "empty_input"),
    value("zero-width joiner", "input", "\u200d\u200d", "empty_input"),
    value("byte order mark", "input", "\ufeff", "empty_input"),
    value("4,097 characters", "input", "a" * 4097, "input_too_long"),
    value("NUL", "input", "a\0b"),
    Bad(
        "input lone surrogate",
        400,
        "invalid_value",
        "input",
        body=b'{"model":"tts-1","input":"\\ud800"}',
    ),
    value("too long", "instructions", "a" * 4097),
    value("a number", "instructions", 7),
    value("garbage", "language", "not a language!"),
    value("10 KB", "language", "e" * 10_000),
]
NAMES = [
    *(
        value(repr(bad)[:40], "voice", bad)
        for bad in (5, True, [], {}, {"id": 5}, {"id": "alloy", "x": 1}, "x" * 10_240)
    ),
    *(
        value(repr(bad)[:40], "voice", bad, "unknown_voice")
        for bad in ("nobody", "alloys", "../x", "a lloy", {"id": "nobody"})
    ),
    Bad("model unknown", 404, "model_not_found", "model", fields={"model": "gpt-9"}),
    Bad("model path", 404, "model_not_found", "model", fields={"model": "../../etc/passwd"}),
    value("empty", "model", ""),
    value("1 MB", "model", "x" * 900_000),
    value("null", "model", None, "missing_required_parameter"),
    *(
        value(repr(bad), "response_format", bad)
        for bad in ("MP3", "exe", "wav;rm -rf", ["mp3"], {}, "")
    ),
    *(value(repr(bad), "stream_format", bad) for bad in ("SSE", "json", 1, "")),
]
KEYS = [
    Bad("no key", 401, None, headers={"authorization": ""}),
    Bad("an empty bearer", 401, None, headers={"authorization": "Bearer"}),
    *(
        Bad(f"key {bad[:30]!r}", 401, "invalid_api_key", headers={"authorization": bad})
        for bad in (
            "Bearer nonsense",
            "Bearer vox_0000000000_000000000000000000000000000000000000000000",
            "Basic YWxpY2U6cHc=",
            "Bearer Bearer x",
            "Bearer ' OR 1=1 --",
            "Bearer " + "x" * 5000,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    "bad", [*BODIES, *METHODS, *NUMBERS, *TEXTS, *NAMES, *KEYS], ids=lambda bad: bad.name[:50]
)
def test_it_refuses(server, live_key, data_dir, bad):
    before = Trace.at_rest(data_dir)
    headers = {"content-type": JSON, "authorization": f"Bearer {live_key}", **bad.headers}
    with server.http() as http:
        answer = http.request(bad.method, "/v1/audio/speech", content=bad.content, headers=headers)
    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"].startswith(JSON)
    assert answer.headers["x-request-id"]
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"], error["param"]) == (bad.type, bad.code, bad.param)
    assert error["message"].endswith(".")
    assert "Traceback" not in answer.text and "0x" not in answer.text
    assert Trace.of(data_dir) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"input": "a " * 2048},
        {"input": "😀" * 4096},
        {"input": ("é" + "\u0301" * 9) * 400},
        {"input": "\u202etxet desrever\u202c and \ue000 private"},
        {"input": "<|endoftext|> [voice:nova] (whispering) hello"},
        {"input": "नमस्ते สวัสดี 안녕하세요 שלום привет გამარჯობა ⠓⠑⠇⠇⠕"},
        {"instructions": "None"},
        {"voice": None, "speed": None, "instructions": None, "stream_format": None},
        {"backend": "x", "stream": True, "params": {"seed": 1}, "lang_code": "a"},
        {"stream_format": "sse"},
        {"seed": 0, "speed": 0.25},
        {"speed": 4},
    ],
    ids=lambda fields: next(iter(fields)) + " " + ascii(next(iter(fields.values())))[:30],
)
def test_it_speaks_what_is_odd_but_fine(server, live_key, fields):
    with server.http(live_key) as http:
        answer = http.post("/v1/audio/speech", json={**GOOD, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.content


@pytest.mark.parametrize("accept", ["application/xml", "audio/ogg;q=0", "text/html"])
def test_it_speaks_whatever_is_accepted(server, live_key, accept):
    with server.http(live_key) as http:
        answer = http.post("/v1/audio/speech", json=GOOD, headers={"accept": accept})
    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(server, live_key, scheme):
    with server.http() as http:
        headers = {"authorization": f"{scheme} {live_key}"}
        assert http.get("/v1/models", headers=headers).status_code == 200


def test_a_byte_order_mark_is_tolerated(server, live_key):
    with server.http(live_key) as http:
        body = b"\xef\xbb\xbf" + json.dumps(GOOD).encode()
        answer = http.post("/v1/audio/speech", content=body, headers={"content-type": JSON})
    assert answer.status_code == 200


@pytest.mark.slow
def test_it_all_leaves_no_memory_and_no_file_behind(server, live_key):
    """Last in this file: everything above has been thrown at the same process."""
    with server.http(live_key) as http:
        body = b'"' + b"x" * 11 * MEGABYTE + b'"'
        before = resident_bytes(server.process.pid)
        for _ in range(10):
            answer = http.post("/v1/audio/speech", content=body, headers={"content-type": JSON})
            assert answer.status_code == 413
    assert resident_bytes(server.process.pid) - before < 20 * MEGABYTE
    deadline = time.monotonic() + 5
    while deleted_files_held_open(server.process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)
