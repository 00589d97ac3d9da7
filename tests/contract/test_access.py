"""Who may do what: every URL is public by name or wants a credential, and keys only open what they
were issued for."""

from __future__ import annotations

import re

import pytest
from django.urls import URLPattern, get_resolver

from accounts.models import SCOPES
from voxplatform.errors import is_api

SPEECH = "/v1/audio/speech"
GOOD = {"model": "tts-1", "voice": "alloy", "input": "Good evening."}
# METRICS_ALLOW lets the loopback, from which tests come, read the metrics.
PUBLIC = {"/", "/livez", "/readyz", "/health", "/docs", "/schema.json", "/metrics"}
LISTINGS = {
    "/v1/models",
    "/v1/models/tone",
    "/v1/audio/models",
    "/v1/audio/voices",
    "/v1/audio/voices/tone",
}
SIGN_IN = {"/admin", "/admin/login/", "/admin/logout/", "/admin/jsi18n/"}
# Where people come in, and what those need who are not in yet.
ENTRANCE = re.compile(
    r"/(strings\.js|favicon\.ico|preferences/"
    r"|account/(login|logout|inactive|signup|confirm-email|invitations"
    r"|password/reset|2fa/authenticate|3rdparty/(login|signup)|social)/)"
)


# A signature in the URL is the credential.
SIGNED = re.compile(r"/mcp/audio/")


def all_urls(patterns=None, prefix="/"):
    """Every URL of the platform, with something for its parameters."""
    for pattern in patterns or get_resolver("voxplatform.urls").url_patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            filled = re.sub(r"<path:name>", "tone", prefix + route)
            # The admin ends with a pattern for all that is unknown there.
            if "(?P" not in filled:
                yield re.sub(r"<[^>]+>", "1", filled)
        else:
            yield from all_urls(pattern.url_patterns, prefix + route)


def is_listing(url):
    return f"/v1/{url.removeprefix('/v1').strip('/')}" in LISTINGS


def test_the_walk_sees_the_whole_platform():
    urls = set(all_urls())
    assert PUBLIC | LISTINGS | {SPEECH, "/audio/speech/", "/api/engine/load/"} <= urls
    assert any(url.startswith("/admin/accounts/") for url in urls)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_url_is_public_by_name_or_wants_a_credential(closed_server, method):
    with closed_server.http() as http:
        for url in all_urls():
            if url in PUBLIC | SIGN_IN or ENTRANCE.match(url):
                continue
            answer = http.request(method, url)
            if SIGNED.match(url):
                assert answer.status_code == (403 if method == "GET" else 405), url
            elif is_api(url):
                assert answer.status_code == 401, url
                assert answer.json()["error"]["code"] is None
            elif method == "POST":
                # Without a session, a POST has no CSRF token that could match.
                assert answer.status_code == 403, url
            elif answer.status_code != 405:
                assert answer.headers["location"].startswith(("/account/login/", "/admin/login/"))


@pytest.mark.parametrize("url", sorted(PUBLIC))
def test_what_is_public_stays_public(closed_server, url):
    with closed_server.http() as http:
        assert http.get(url).status_code == 200


@pytest.mark.slow
def test_only_listings_open_up_for_strangers(server):
    with server.http() as http:
        for url in all_urls():
            if url in PUBLIC or SIGNED.match(url) or not is_api(url):
                continue
            assert http.get(url).status_code == (200 if is_listing(url) else 401), url


@pytest.mark.parametrize("url", sorted(LISTINGS))
@pytest.mark.parametrize("key", ["revoked", "expired", "account off", "elsewhere", "junk"])
def test_a_wrong_key_is_refused_where_none_is_needed(server, keys, url, key):
    with server.http(keys.get(key, "vox_junk")) as http:
        assert http.get(url).status_code == (403 if key == "elsewhere" else 401)


def test_a_key_lists_even_where_strangers_may_not(closed_server, keys):
    with closed_server.http(keys["only usage"]) as http:
        assert http.get("/v1/models").status_code == 200


# -- keys

USES = {
    "speech": [("POST", SPEECH), ("POST", "/api/speech")],
    "voices": [("GET", "/v1/audio/voice_consents")],
    "jobs": [("GET", "/api/jobs")],
    "usage": [("GET", "/api/usage")],
    "engine": [("POST", "/api/engine/load")],
}


@pytest.mark.parametrize("scope", USES)
def test_a_scope_opens_its_routes_and_its_lack_closes_them(server, keys, scope):
    for method, url in USES[scope]:
        with server.http(keys[f"without {scope}"]) as http:
            error = http.request(method, url, json=GOOD)
        assert error.status_code == 401
        assert error.json()["error"]["code"] == "missing_scope"
        with server.http(keys[f"only {scope}"]) as http:
            answer = http.request(method, url, json=GOOD)
        assert answer.status_code == 200, answer.text


def test_every_scope_with_a_route_is_tried_here():
    assert set(USES) == set(SCOPES) - {"metrics"}


@pytest.mark.parametrize("key", ["revoked", "no scope", "elsewhere", "account off"])
def test_who_asks_is_settled_before_what_is_asked(server, keys, key):
    with server.http(keys[key]) as http:
        answer = http.post(SPEECH, content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code in (401, 403)


def test_a_key_for_one_voice_sees_and_uses_that_one(server, keys):
    with server.http(keys["one voice"]) as http:
        assert http.get("/v1/audio/voices?legacy=1").json()["voices"] == ["nova"]
        assert http.post(SPEECH, json=GOOD | {"voice": "nova"}).status_code == 200
        for voice in ("alloy", "default", None):
            refused = http.post(SPEECH, json=GOOD | {"voice": voice})
            assert refused.status_code == 403
            assert refused.json()["error"]["param"] == "voice"


def test_a_key_for_one_model_sees_and_uses_that_one(server, keys):
    with server.http(keys["one model"]) as http:
        assert [model["id"] for model in http.get("/v1/models").json()["data"]] == ["tts-1"]
        assert http.get("/v1/models/tone").status_code == 404
        assert http.post(SPEECH, json=GOOD).status_code == 200
        for model in ("tts-1-hd", "tts-1-1106", "tone"):
            assert http.post(SPEECH, json=GOOD | {"model": model}).status_code == 403
        assert http.post("/api/speech", json={"input": "Good evening."}).status_code == 403


@pytest.mark.parametrize(
    "header", ["Basic dTpw", "Token vox_x", "Bearer a, Bearer b", "Bearer\tx", "vox_x"]
)
def test_another_form_of_the_header_is_a_wrong_key(server, header):
    with server.http() as http:
        answer = http.get("/v1/models", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_key_in_the_url_or_a_cookie_opens_nothing(server, live_key):
    with server.http() as http:
        http.cookies.update({"authorization": live_key, "api_key": live_key})
        answer = http.post(SPEECH, params={"api_key": live_key, "key": live_key}, json=GOOD)
    assert answer.status_code == 401


def test_the_rate_is_told_and_kept(server, keys):
    with server.http(keys["one a minute"]) as http:
        answers = [http.get("/v1/models") for _ in range(3)]
    # The minute may turn once between them.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    for answer in answers:
        assert answer.headers["x-ratelimit-limit-requests"] == "1"
        assert answer.headers["x-ratelimit-remaining-requests"] == "0"
        assert re.fullmatch(r"\d+s", answer.headers["x-ratelimit-reset-requests"])
    error = refused[0].json()["error"]
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert refused[0].headers["x-should-retry"] == "true"


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("GET", "/v1/models", None, 200),
        ("GET", "/v1/audio/voices", None, 200),
        ("GET", "/v1/models/none", None, 404),
        ("POST", SPEECH, GOOD, 200),
        ("POST", SPEECH, {}, 400),
        ("POST", "/api/speech", {"input": "Good evening."}, 200),
        ("GET", "/api/usage", None, 200),
    ],
)
def test_every_answer_tells_where_the_rate_stands(server, keys, method, url, body, status):
    with server.http(keys["many a minute"]) as http:
        answer = http.request(method, url, json=body)
    assert answer.status_code == status
    assert answer.headers["x-ratelimit-limit-requests"] == "1000"
    assert 0 < int(answer.headers["x-ratelimit-remaining-requests"]) < 1000


def test_no_key_is_ever_written_to_the_log(server, keys):
    with server.http(keys["revoked"]) as http:
        http.get("/v1/models")
    assert not any(key in server.log for key in keys.values())
