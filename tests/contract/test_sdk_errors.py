"""What goes wrong reaches the user of an SDK as the right exception, with all it can tell."""

from __future__ import annotations

import pytest

TEXT = "Good evening."
# key, fields of the request -> exception, status, type, code, param
ERRORS = {
    "no such key": ("vox_no", {}, "AuthenticationError", 401, "invalid_api_key", None),
    "revoked key": ("revoked", {}, "AuthenticationError", 401, "invalid_api_key", None),
    "expired key": ("expired", {}, "AuthenticationError", 401, "invalid_api_key", None),
    "account off": ("account off", {}, "AuthenticationError", 401, "account_deactivated", None),
    "no scope": ("no scope", {}, "AuthenticationError", 401, "missing_scope", None),
    "elsewhere": ("elsewhere", {}, "PermissionDeniedError", 403, "not_allowed", None),
    "voice": ("one voice", {}, "PermissionDeniedError", 403, "not_allowed", "voice"),
    "model": ("one model", {"model": "tone"}, "PermissionDeniedError", 403, "not_allowed", "model"),
    "no model": ("good", {"model": "gpt-5"}, "NotFoundError", 404, "model_not_found", "model"),
    "no voice": ("good", {"voice": "no"}, "BadRequestError", 400, "unknown_voice", "voice"),
    "empty": ("good", {"input": " "}, "BadRequestError", 400, "empty_input", "input"),
    "long": ("good", {"input": "x" * 4097}, "BadRequestError", 400, "input_too_long", "input"),
    "format": (
        "good",
        {"response_format": "ogg"},
        "BadRequestError",
        400,
        "invalid_value",
        "response_format",
    ),
    "speed": ("good", {"speed": 5}, "BadRequestError", 400, "invalid_value", "speed"),
    "quota": ("no quota", {}, "RateLimitError", 429, "insufficient_quota", None),
    "audio": ("no seconds", {}, "RateLimitError", 429, "insufficient_quota", None),
}


@pytest.mark.parametrize("case", ERRORS)
def test_each_error_is_the_exception_it_should_be(sdk, server, keys, case):
    key, fields, name, status, code, param = ERRORS[case]
    fields = {"model": "tts-1", "voice": "alloy", "input": TEXT, **fields}
    error = sdk.ask("create", server.url, keys.get(key, key), **fields).error
    assert (error["class"], error["status"]) == (name, status)
    assert (error["code"], error["param"]) == (code, param)
    assert error["type"]
    assert error["request_id"].startswith("req_")


def test_a_failing_engine_is_an_internal_server_error(sdk, server, keys, faults):
    faults(raise_at=0)
    fields = {"model": "tts-1", "voice": "alloy", "input": TEXT}
    error = sdk.ask("create", server.url, keys["good"], **fields).error
    assert (error["class"], error["status"]) == ("InternalServerError", 500)
    assert (error["code"], error["type"]) == ("synthesis_failed", "server_error")
    assert error["request_id"].startswith("req_")


def test_the_message_is_for_people(sdk, server, keys):
    fields = {"model": "tts-1", "voice": "nobody", "input": TEXT}
    error = sdk.ask("create", server.url, keys["good"], **fields).error
    assert "There is no voice of that name." in error["text"]
