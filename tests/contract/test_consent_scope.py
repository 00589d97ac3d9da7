"""How far a consent goes is said when it is given, on every face; what it does not extend to is
refused with the field's name."""

from __future__ import annotations

import time

import pytest

from tests.contract.test_one_off_voices import CLIP, refused
from tests.contract.test_voices import WORD
from tests.voices.recordings import clip

FACES = ("/v1/audio/voice_consents", "/api/consents")
SCOPE = {"purposes": "Audio guides", "languages": "de-at, en", "expires_at": 4_000_000_000}
SHOWN = SCOPE | {"languages": ["de-AT", "en"]}


@pytest.fixture(scope="module")
def http(voice_server, keys):
    with voice_server.http(keys["good"]) as http:
        yield http


def send(http, path=FACES[1], **fields):
    """A form, also where it has no file."""
    fields = {"name": (None, "Alice"), "language": (None, "en")} | {
        name: value if isinstance(value, tuple) else (None, str(value))
        for name, value in fields.items()
    }
    return http.post(path, files=fields)


def speak(http, **fields):
    body = {"model": "tts-1", "input": "Good evening.", "response_format": "pcm"}
    return http.post("/v1/audio/speech", json=body | fields)


@pytest.mark.slow
@pytest.mark.parametrize("path", FACES)
@pytest.mark.parametrize("way", [{"statement": WORD}, {"recording": ("x", clip("wav"))}])
def test_it_is_said_with_a_recording_or_a_word_and_shown(http, path, way):
    made = send(http, path, **way, **SCOPE)
    assert made.status_code == 200, made.text
    assert (made.json()["purposes"], made.json()["state"]) == ("Audio guides", "active")
    assert made.json()["languages"] == ["de-AT", "en"]
    assert made.json()["expires_at"] == 4_000_000_000
    assert made.json()["statement"] == (WORD if "statement" in way else "")
    assert http.get(f"{FACES[0]}/{made.json()['id']}").json() == made.json()


def test_openais_sdk_says_it_in_its_extra_body(server, keys):
    client = server.openai(keys["good"])
    made = client.audio.voice_consents.create(
        name="Alice", language="en", recording=("x", clip("wav")), extra_body=SCOPE
    )
    assert (made.purposes, made.languages) == ("Audio guides", ["de-AT", "en"])
    assert client.audio.voice_consents.retrieve(made.id).expires_at == 4_000_000_000


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"languages": "english"}, "languages"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": 1}, "expires_at"),
        ({"purposes": "x" * 501}, "purposes"),
        ({"statement": "yes"}, "statement"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(http, fields, param):
    assert refused(send(http, **{"statement": WORD} | fields)) == (400, "invalid_value", param)


def test_nothing_of_it_can_be_changed_later(http):
    made = send(http, statement=WORD, **SCOPE).json()
    answer = http.post(f"{FACES[0]}/{made['id']}", json={"name": "Bob", "languages": []})
    assert http.get(f"{FACES[0]}/{made['id']}").json() == made | {"name": answer.json()["name"]}


def test_another_language_is_refused_for_a_voice_and_for_one_request(http):
    consent = send(http, statement=WORD, languages="en").json()["id"]
    voice = http.post(
        "/api/voices", data={"name": "English", "consent": consent},
        files={"audio_sample": clip("wav")},
    ).json()["id"]  # fmt: skip
    refusal = (403, "consent_required", "language")
    for given in ({"voice": voice}, {"ref_audio": CLIP, "consent": consent}):
        assert speak(http, **given).status_code == 200
        assert refused(speak(http, **given, language="fr")) == refusal
    job = {"input": "Bonjour.", "voice": voice, "language": "fr"}
    assert refused(http.post("/api/jobs", json=job)) == refusal
    http.delete(f"/api/voices/{voice}")


def test_a_voice_is_made_with_a_word_that_goes_so_far(http):
    made = http.post(
        "/api/voices", data={"name": "Limited", "consent": WORD, **SCOPE},
        files={"audio_sample": clip("wav")},
    ).json()  # fmt: skip
    consent = http.get(f"/api/consents/{made['consent']}").json()
    assert {name: consent[name] for name in SCOPE} == SHOWN
    http.delete(f"/api/voices/{made['id']}")
    http.delete(f"/api/consents/{made['consent']}")


@pytest.mark.parametrize("path", ["/v1/audio/voices", "/api/voices"])
def test_a_refused_voice_leaves_no_word_behind(http, path):
    def asked(**fields):
        form = {"name": "Refused", "consent": WORD, **SCOPE} | fields
        return refused(http.post(path, data=form, files={"audio_sample": b"no sound".ljust(80)}))

    before = http.get("/api/consents").json()
    assert asked() == (400, "unsupported_container", "audio_sample")
    assert asked(languages="english") == (400, "invalid_value", "languages")
    consent = send(http, statement=WORD).json()["id"]
    assert asked(consent=consent) == (400, "invalid_value", "purposes")
    http.delete(f"/api/consents/{consent}")
    assert http.get("/api/consents").json() == before


def test_past_its_end_it_is_refused_in_words(http):
    ends = int(time.time()) + 2
    consent = send(http, statement=WORD, expires_at=ends).json()["id"]
    given = {"ref_audio": CLIP, "consent": consent}
    time.sleep(max(0, ends - time.time()) + 0.01)
    answer = speak(http, **given)
    assert refused(answer) == (403, "consent_required", "consent")
    assert "expired" in answer.json()["error"]["message"]
    assert http.get(f"{FACES[0]}/{consent}").json()["state"] == "expired"
