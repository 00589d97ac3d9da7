"""A recording that is refused is refused alike wherever recordings are sent: status, code and the
field's name; nothing of it is left, nobody is charged, and the engine hears nothing."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing

import pytest

from tests.contract.test_voices import WORD
from tests.faults.invariants import Trace
from tests.voices.bad_recordings import REFUSED
from tests.voices.recordings import clip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# The whole table goes to the decoder and to OpenAI's face (tests/voices/test_decoding.py,
# tests/faults/test_uploads.py); every other face gets one recording for each reason.
FOR_EACH_REASON = {code: (name, make) for name, (make, code) in REFUSED.items()}
KEPT = ("voice", "voicesample", "voiceconsent", "unclaimedobject", "erasure", "consentphrase")


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


@pytest.fixture(scope="module")
def voice(http):
    made = http.post(
        "/api/voices", data={"name": "Own", "consent": WORD}, files={"audio_sample": clip("wav")}
    ).json()
    yield made["id"]
    http.delete(f"/api/voices/{made['id']}")
    http.delete(f"/api/consents/{made['consent']}")


def as_voice(url):
    def send(http, voice, data):
        form = {"name": "Refused", "consent": WORD}
        return http.post(url, data=form, files={"audio_sample": data})

    return send


def as_version(http, voice, data):
    return http.post(f"/api/voices/{voice}/versions", files={"audio_sample": data})


def as_consent(url):
    def send(http, voice, data):
        form = {"name": "Refused", "language": "en"}
        return http.post(url, data=form, files={"recording": data})

    return send


FACES = {
    "openai": (as_voice("/v1/audio/voices"), "audio_sample"),
    "native": (as_voice("/api/voices"), "audio_sample"),
    "version": (as_version, "audio_sample"),
    "consent": (as_consent("/v1/audio/voice_consents"), "recording"),
    "native consent": (as_consent("/api/consents"), "recording"),
}


def rows(data_dir):
    with closing(sqlite3.connect(data_dir / "voxplatform.sqlite3", timeout=10)) as database:
        count = "SELECT count(*) FROM voices_{}"
        return {name: database.execute(count.format(name)).fetchone()[0] for name in KEPT}


@pytest.mark.parametrize("face", FACES)
def test_it_is_named_and_nothing_is_left_or_charged(server, http, voice, data_dir, face):
    send, param = FACES[face]
    before = rows(data_dir), Trace.at_rest(data_dir)
    for code, (name, make) in FOR_EACH_REASON.items():
        answer = send(http, voice, make())
        error = answer.json()["error"]
        found = (answer.status_code, error["type"], error["code"], error["param"])
        assert found == (400, "invalid_request_error", code, param), name
        assert error["message"].endswith("."), name
    assert (rows(data_dir), Trace.of(data_dir)) == before
    assert server.get("/livez").status_code == 200


def test_in_a_speech_request_it_is_no_other(http, data_dir):
    before = rows(data_dir), Trace.at_rest(data_dir)
    for code, (name, make) in FOR_EACH_REASON.items():
        data = make()
        if not 0 < len(data) < 750_000:  # no recording at all, or more than a body may have
            continue
        sent = base64.b64encode(data).decode()
        body = {"input": "Good evening.", "ref_audio": f"data:audio/wav;base64,{sent}"}
        answer = http.post("/api/speech", json=body | {"consent": WORD})
        error = answer.json()["error"]
        found = (answer.status_code, error["code"], error["param"])
        assert found == (400, code, "ref_audio"), name
    assert (rows(data_dir), Trace.of(data_dir)) == before


@pytest.mark.parametrize("container", ["wav", "mp3"])
def test_a_cut_recording_is_refused_where_too_little_is_left(http, voice, container):
    whole = clip(container)
    error = as_version(http, voice, whole[: len(whole) // 6]).json()["error"]
    assert (error["code"], error["param"]) == ("audio_too_short", "audio_sample")
