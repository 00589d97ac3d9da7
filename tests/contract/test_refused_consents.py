"""A consent that is not there, is somebody else's, was withdrawn, was given in another voice, or is
too short for its phrase: refused alike for a voice and for one request, where nobody's word is
enough. Nothing is left and nobody is charged, and the engine hears nothing."""

from __future__ import annotations

import json
import sys

import pytest

from tests.contract.mcp_client import Bare, speak
from tests.contract.test_one_off_voices import CLIP
from tests.contract.test_refused_recordings import rows
from tests.contract.test_voices import WORD
from tests.faults.invariants import Trace
from tests.live import LiveServer
from tests.voices.recordings import clip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MISSING = (403, "consent_required", "consent")
# Whoever lasts longer than five seconds is one person, all others are another.
COMPARE = """
import sys, wave
lasts = [sound.getnframes() / sound.getframerate() for sound in map(wave.open, sys.argv[1:])]
print(float((lasts[0] > 5) == (lasts[1] > 5)))
"""


@pytest.fixture(scope="module")
def server(data_dir, tmp_path_factory):
    program = tmp_path_factory.mktemp("speakers") / "compare.py"
    program.write_text(COMPARE)
    environment = {
        "ENGINE_CONFIG": json.dumps({"speed": 100, "also": ["clone"]}),
        "REQUIRE_CONSENT": "recording",
        "SPEAKER_CHECK": f"{sys.executable} {program}",
    }
    with LiveServer(data_dir, environment) as server:
        yield server


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


def consent(http, seconds=4.0, **fields):
    form = {"name": "Alice", "language": "en"} | fields
    return http.post("/api/consents", data=form, files={"recording": clip("wav", seconds)})


def withdrawn(http, stranger):
    made = consent(http).json()["id"]
    assert http.post(f"/api/consents/{made}/withdraw", json={}).json()["state"] == "withdrawn"
    return made


CONSENTS = {
    "none": (lambda http, stranger: "", MISSING),
    "a word": (lambda http, stranger: WORD, MISSING),
    "unknown": (lambda http, stranger: "cons_" + "0" * 24, (404, "not_found", None)),
    "somebody else's": (
        lambda http, stranger: consent(stranger).json()["id"],
        (404, "not_found", None),
    ),
    "withdrawn": (withdrawn, MISSING),
    "another voice": (lambda http, stranger: consent(http, 9.0).json()["id"], MISSING),
}


def as_voice(path):
    def send(http, given):
        form = {"name": "Refused"} | ({"consent": given} if given else {})
        return http.post(path, data=form, files={"audio_sample": clip("wav")})

    return send


def as_request(path):
    def send(http, given):
        body = {"model": "tts-1", "voice": "alloy", "input": "Good evening.", "ref_audio": CLIP}
        return http.post(path, json=body | ({"consent": given} if given else {}))

    return send


FACES = {
    "openai": as_voice("/v1/audio/voices"),
    "native": as_voice("/api/voices"),
    "speech": as_request("/v1/audio/speech"),
    "native speech": as_request("/api/speech"),
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("which", CONSENTS)
def test_nobody_is_copied_on_it(server, http, keys, data_dir, which, face):
    give, expected = CONSENTS[which]
    with server.http(keys["stranger"]) as stranger:
        given = give(http, stranger)
    before = rows(data_dir), Trace.at_rest(data_dir)
    answer = FACES[face](http, given)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == expected
    assert (rows(data_dir), Trace.of(data_dir)) == before


@pytest.mark.parametrize("face", FACES)
def test_on_one_that_holds_somebody_is(http, face):
    given = consent(http).json()["id"]
    answer = FACES[face](http, given)
    assert answer.status_code == 200, answer.text
    if "audio/voice" in str(answer.url) or "api/voices" in str(answer.url):
        http.delete(f"/api/voices/{answer.json()['id']}")


@pytest.mark.parametrize("path", ["/v1/audio/voice_consents", "/api/consents"])
def test_a_recording_shorter_than_its_phrase_is_no_consent_and_uses_none_up(http, data_dir, path):
    phrase = http.get("/api/consents/phrase?language=en").json()["id"]
    form = {"name": "Alice", "language": "en", "phrase": phrase}
    before = rows(data_dir), Trace.at_rest(data_dir)
    answer = http.post(path, data=form, files={"recording": clip("wav", 2.0)})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (
        *(400, "transcript_mismatch", "recording"),
    )
    assert (rows(data_dir), Trace.of(data_dir)) == before
    assert http.post(path, data=form, files={"recording": clip("wav", 12.0)}).status_code == 200
    again = http.post(path, data=form, files={"recording": clip("wav", 12.0)})
    assert (again.status_code, again.json()["error"]["param"]) == (400, "phrase")


ENDS = {
    "withdrawn": lambda http, given: http.post(
        f"/api/consents/{given}/withdraw", json={"reason": "She moved on."}
    ),
    "deleted": lambda http, given: http.delete(f"/v1/audio/voice_consents/{given}"),
}
SAY = {"model": "tts-1", "input": "Good evening."}
USES = {
    "speech": lambda http, voice: http.post("/v1/audio/speech", json=SAY | {"voice": voice}),
    "native": lambda http, voice: http.post("/api/speech", json=SAY | {"voice": voice}),
    "events": lambda http, voice: http.post(
        "/api/speech", json=SAY | {"voice": voice, "stream_format": "sse"}
    ),
    "preview": lambda http, voice: http.post(f"/api/voices/{voice}/preview"),
    "job": lambda http, voice: http.post("/api/jobs", json={"input": "Hello.", "voice": voice}),
    "new version": lambda http, voice: http.post(
        f"/api/voices/{voice}/versions", files={"audio_sample": clip("wav")}
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_existing_voice_falls_silent_with_its_consent_and_the_engine_is_not_asked(
    server, http, keys, data_dir, end
):
    given = consent(http).json()["id"]
    voice = FACES["native"](http, given).json()["id"]
    assert ENDS[end](http, given).status_code == 200
    before = rows(data_dir), Trace.at_rest(data_dir)
    for use, ask in USES.items():
        answer = ask(http, voice)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (
            *(403, "consent_required", "voice"),
        ), use
    with Bare(server, keys["good"]) as bare:
        bare.initialize()
        assert '"consent_required"' in bare.post(speak("Good evening.", voice=voice)).text
    assert (rows(data_dir), Trace.of(data_dir)) == before
    http.delete(f"/api/voices/{voice}")
    for use, ask in USES.items():
        assert ask(http, voice).json()["error"]["code"] in ("unknown_voice", "not_found"), use
