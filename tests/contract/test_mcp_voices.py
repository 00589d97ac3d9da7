"""A voice made over MCP by the official SDK's client: checked and consented to as by any face, and
then spoken with. The engine is a tone that every voice gives its register."""

from __future__ import annotations

import base64

import pytest

from tests.contract.mcp_client import client_of
from tests.contract.test_voices import WORD
from tests.voices.recordings import WORDS, clip, spoken, wav


def data_url(data):
    return f"data:audio/wav;base64,{base64.b64encode(data).decode()}"


ASKED = {"name": "Over MCP", "audio": data_url(clip("mp3")), "consent": WORD}


async def call(server, key, tool, **arguments):
    async with client_of(server, key) as client:
        return await client.call_tool(tool, arguments)


@pytest.fixture
def erase(voice_server, keys):
    made = []
    yield made.append
    with voice_server.http(keys["good"]) as http:
        for voice_id in made:
            assert http.delete(f"/api/voices/{voice_id}").status_code == 200


async def test_its_arguments_are_told(voice_server, keys):
    async with client_of(voice_server, keys["good"]) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    schema = tools["clone_voice"].input_schema
    assert schema["required"] == ["name", "audio"]
    assert schema["properties"]["override"]["type"] == "boolean"


async def test_a_voice_is_made_spoken_with_and_erased(voice_server, keys, erase):
    made = await call(voice_server, keys["good"], "clone_voice", **ASKED, language="en")
    assert not made.is_error, made.structured_content
    voice = made.structured_content
    erase(voice["id"])
    assert (voice["name"], voice["state"], voice["language"]) == ("Over MCP", "ready", "en")
    said = await call(voice_server, keys["good"], "speak", text="Good evening.", voice="over mcp")
    assert said.structured_content["voice"] == voice["id"]
    with voice_server.http(keys["good"]) as http:
        shown = http.get(f"/api/voices/{voice['id']}").json()
        assert shown["consent"].startswith("cons_")


@pytest.mark.parametrize(
    ("key", "changes", "code", "param"),
    [
        ("without voices", {}, "missing_scope", None),
        ("good", {"consent": None}, "invalid_value", "consent"),
        ("good", {"name": "nova"}, "invalid_value", "name"),
        ("good", {"audio": "https://example.com/x.wav"}, "invalid_value", "audio"),
        ("good", {"audio": data_url(b"none at all".ljust(80))}, "unsupported_container", "audio"),
        ("good", {"audio": data_url(wav(spoken())), "transcript": "Yes."},
         "transcript_mismatch", "transcript"),
        ("good", {"colour": "red"}, "invalid_value", "colour"),
        ("good", {"consent": "cons_" + "0" * 24}, "not_found", None),
    ],
)  # fmt: skip
async def test_what_other_faces_refuse_is_refused_in_their_words(
    voice_server, keys, key, changes, code, param
):
    answer = await call(voice_server, keys[key], "clone_voice", **ASKED | changes)
    assert answer.is_error
    error = answer.structured_content["error"]
    assert (error["code"], error["param"]) == (code, param)


async def test_without_a_word_nobody_is_copied(voice_server, keys):
    asked = {name: value for name, value in ASKED.items() if name != "consent"}
    answer = await call(voice_server, keys["good"], "clone_voice", **asked)
    assert answer.structured_content["error"]["code"] == "consent_required"


async def test_a_recording_in_words_is_no_recording(voice_server, keys):
    words = data_url(WORDS.encode() * 5)
    answer = await call(voice_server, keys["good"], "clone_voice", **ASKED | {"audio": words})
    assert answer.structured_content["error"]["code"] == "unsupported_container"
