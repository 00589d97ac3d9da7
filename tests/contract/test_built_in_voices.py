"""The thirteen names as every face shows them: to everybody alike, changed by no account, and,
where an operator disables one, as if there were no such voice."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from tests.contract.mcp_client import Bare, speak
from tests.contract.test_access import SPEECH
from tests.contract.test_foreign_voices import FACES
from tests.contract.test_native_voices import NOWHERE, WITH_ID, ask, kind_of
from tests.contract.test_silenced_voices import LONG
from tests.live import manage
from voices.presets import PRESETS

NAMES = list(PRESETS)
SET = """
from accounts.audit import Actor
from voices.models import Voice
Voice.objects.get(public_id="shimmer").set_state(Actor.of_command("test"), "{state}")
"""
CHANGING = [
    (method, route)
    for method, route in WITH_ID
    if kind_of(route) == "voice"
    and (method != "GET" or re.search("versions|export", route))
    and not re.search("preview|report", route)
]


def listed(http):
    """Its ids wherever voices are listed."""
    return [
        [voice["id"] for voice in http.get("/v1/audio/voices").json()["data"]][:13],
        http.get("/v1/audio/voices?legacy=true").json()["voices"][:13],
        [voice["id"] for voice in http.get("/v1/audio/voices/tts-1").json()["voices"]][:13],
    ]


@pytest.mark.parametrize("who", ["good", "stranger", "every scope", None])
def test_everybody_sees_them_first_and_in_one_order(server, keys, who):
    with server.http(keys[who] if who else None) as http:
        assert listed(http) == [NAMES] * 3
        assert http.get("/v1/audio/voices/alloy").json() == {
            "id": "alloy", "object": "audio.voice", "name": "Alloy", "type": "prompt",
            "value": "alloy", "label": "Alloy", "description": PRESETS["alloy"].description,
            "language": "", "created_at": 0,
        }  # fmt: skip


def test_natively_they_are_a_kind_of_their_own(server, keys):
    with server.http(keys["good"]) as http:
        found = http.get("/api/voices?kind=preset&limit=100").json()["data"]
        assert {(voice["kind"], voice["mine"]) for voice in found} == {("preset", False)}
        assert sorted(voice["id"] for voice in found) == NAMES
        assert http.get("/api/voices/alloy").json()["kind"] == "preset"
        others = http.get("/api/voices?limit=100").json()["data"]
        assert not {voice["id"] for voice in others} & set(NAMES)
        assert http.get("/api/voices?kind=alien").json()["error"]["param"] == "kind"


@pytest.mark.parametrize(("method", "route"), CHANGING)
def test_no_account_changes_them(server, keys, browse, method, route):
    ids = {"voice": "alloy"}
    with server.http(keys["every scope"]) as http:
        asked, missing = ask(http, method, route, ids), ask(http, method, route, NOWHERE)
        assert (asked.status_code, asked.content) == (404, missing.content)
        shown = http.get("/api/voices/alloy").json()
    assert (shown["name"], shown["kind"]) == ("Alloy", "preset")
    if route.startswith("api/"):  # staff neither: they have the admin
        assert ask(browse("admin"), method, route, ids).status_code in (404, 400)


@pytest.fixture
def disabled(data_dir, server):
    manage(data_dir, "shell", "-c", SET.format(state="disabled"))
    yield "shimmer"
    manage(data_dir, "shell", "-c", SET.format(state="ready"))


@pytest.mark.slow
def test_a_disabled_one_is_not_there_at_any_face(server, keys, disabled):
    with Bare(server, keys["good"]) as bare:
        bare.initialize()
        for wanted in (disabled, "Shimmer"):
            for face, (url, body) in FACES.items():
                answer, missing = (bare.http.post(url, json=body(v)) for v in (wanted, "Nobody's"))
                assert "unknown_voice" in answer.text, face
                assert (answer.status_code, answer.text) == (missing.status_code, missing.text)
        for ids in listed(bare.http):
            assert disabled not in ids
        found = bare.http.get("/api/voices?kind=preset&limit=100").json()["data"]
        assert len(found) == 12
        for url in ("/v1/audio/voices", "/api/voices"):
            assert bare.http.get(f"{url}/{disabled}").status_code == 404
        assert bare.http.post(f"/api/voices/{disabled}/preview").status_code == 404


@pytest.mark.slow
def test_enabled_it_speaks_again_and_its_use_is_noted(server, keys, data_dir):
    with Bare(server, keys["good"]) as bare:
        bare.initialize()
        assert (
            "unknown_voice" not in bare.http.post("/mcp", json=speak("Hi.", voice="shimmer")).text
        )
    noted = "from voices.models import Voice; print(Voice.objects.get(public_id='shimmer').used_at)"
    assert manage(data_dir, "shell", "-c", noted).splitlines()[-1] != "None"


@pytest.mark.slow
def test_disabling_it_ends_what_it_says(server, keys, data_dir):
    with (
        server.http(keys["good"]) as http,
        pytest.raises(httpx.TransportError),
        http.stream("POST", SPEECH, json=LONG | {"voice": "shimmer"}, timeout=30) as speech,
    ):
        pieces = speech.iter_raw(4096)
        assert next(pieces)
        try:
            manage(data_dir, "shell", "-c", SET.format(state="disabled"))
            ended = time.monotonic()
            for _ in pieces:
                time.sleep(0.02)  # as somebody who listens
                assert time.monotonic() < ended + 10
        finally:
            manage(data_dir, "shell", "-c", SET.format(state="ready"))
