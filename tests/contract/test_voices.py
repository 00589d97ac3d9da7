"""Voices through OpenAI's own SDK against a live server: created, listed, spoken with, deleted; and
whoever they do not belong to sees what somebody sees where there is nothing."""

from __future__ import annotations

from contextlib import suppress

import openai
import pytest

from tests.contract.test_access import SPEECH
from tests.voices.recordings import WORDS, clip, spoken, wav

WORD = "I recorded this myself and agree to a copy of my voice."


@pytest.fixture(scope="module")
def client(server, keys):
    return server.openai(keys["good"])


@pytest.fixture(scope="module")
def stranger(server, keys):
    return server.openai(keys["stranger"])


@pytest.fixture
def create(client):
    made = []

    def create(name, sample=None, who=client, consent=WORD, **fields):
        sample = sample or clip("wav")
        voice = who.audio.voices.create(
            name=name, audio_sample=("x.bin", sample), consent=consent, extra_body=fields
        )
        made.append((who, voice.id))
        return voice

    yield create
    for who, voice_id in made:
        with suppress(openai.NotFoundError):  # the test deleted it
            who.audio.voices.delete(voice_id)


def refused(call, *arguments, **fields):
    """The envelope of the error a call ends in, with its status."""
    with pytest.raises(openai.APIStatusError) as error:
        call(*arguments, **fields)
    return error.value.status_code, error.value.body


# -- voices


@pytest.mark.parametrize(
    "container",
    [
        "wav",
        "webm/opus",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("mp3", "mp4/aac", "ogg/vorbis")),
    ],
)
def test_the_sdk_creates_a_voice_from_what_people_have(create, container):
    voice = create("Reader", clip(container))
    assert voice.id.startswith("voice_")
    assert (voice.object, voice.name, voice.type) == ("audio.voice", "Reader", "audio_sample")
    assert voice.created_at > 1_700_000_000
    assert (voice.state, voice.visibility, voice.version) == ("ready", "private", 1)


def test_the_sdk_deletes_a_voice_once(client, create):
    voice = create("Short-lived")
    gone = client.audio.voices.delete(voice.id)
    assert (gone.id, gone.object, gone.deleted) == (voice.id, "audio.voice.deleted", True)
    status, error = refused(client.audio.voices.delete, voice.id)
    assert (status, error["code"]) == (404, "not_found")


def test_its_own_voices_stand_in_the_list_of_an_account_and_of_nobody_else(server, keys, create):
    voice = create("Listed")

    def listed(key):
        found = server.get("/v1/audio/voices", key).json()
        assert found["voices"] == found["data"]
        return [entry["id"] for entry in found["data"]]

    assert "alloy" in listed(keys["good"]) and voice.id in listed(keys["good"])
    for key in (keys["stranger"], keys["one voice"], None):
        assert voice.id not in listed(key)
    assert voice.id in server.get("/v1/audio/voices?legacy=1", keys["good"]).json()["voices"]


def test_a_voice_can_be_retrieved_as_can_a_built_in_one(server, keys, create):
    voice = create("Retrieved")
    found = server.get(f"/v1/audio/voices/{voice.id}", keys["good"])
    assert found.json()["name"] == "Retrieved"
    assert server.get("/v1/audio/voices/nova", keys["good"]).json()["id"] == "nova"


def test_with_its_words_the_whole_recording_is_kept(create):
    assert create("With words", wav(spoken()), transcript=WORDS).version == 1


@pytest.mark.parametrize("by", ["id", "name", "object"])
def test_a_speech_request_means_it_by_id_name_or_object(client, create, by):
    """The test tone clones nobody, and says so: it was found, or the answer would be another."""
    voice = create("Spoken with")
    meant = {"id": voice.id, "name": voice.name, "object": {"id": voice.id}}[by]
    status, error = refused(
        client.audio.speech.create, model="tts-1", input="Good evening.", voice=meant
    )
    assert (status, error["code"]) == (400, "unsupported_by_model")


def test_what_is_not_known_of_a_form_is_ignored_and_named(server, keys):
    with server.http(keys["good"]) as http:
        answer = http.post(
            "/v1/audio/voices",
            files={"audio_sample": clip("wav")},
            data={"name": "Extra", "consent": WORD, "colour": "red"},
        )
        assert "colour" in answer.headers["warning"]
        http.delete(f"/v1/audio/voices/{answer.json()['id']}")


# -- what is refused


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"sample": b"no audio at all, whatever its name says".ljust(80)},
         "unsupported_container", "audio_sample"),
        ({"sample": wav(spoken()[:3000])}, "audio_too_short", "audio_sample"),
        ({"name": "nova"}, "invalid_value", "name"),
        ({"name": "x" * 101}, "invalid_value", "name"),
        ({"transcript": "Yes."}, "transcript_mismatch", "transcript"),
        ({"transcript": "nul\x00"}, "invalid_value", "transcript"),
        ({"language": "English"}, "invalid_value", "language"),
        ({"override": "perhaps"}, "invalid_value", "override"),
        ({"consent": "yes"}, "invalid_value", "consent"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)  # fmt: skip
def test_it_says_what_is_wrong_and_in_which_field(create, changes, code, param):
    fields = {"name": "Refused", "sample": wav(spoken()), **changes}
    status, error = refused(create, **fields)
    assert (status, error["code"], error["param"]) == (400, code, param)


def test_a_prompt_makes_no_voice_here(client):
    status, error = refused(
        client.audio.voices.create, name="Designed", prompt="A calm voice", type="prompt"
    )
    assert (status, error["param"]) == (400, "type")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{}", "application/json", "unsupported_content_type"),
        (b"", "multipart/form-data", "invalid_body"),
        (b"--x\r\n", "multipart/form-data; boundary=" + "x" * 300, "invalid_body"),
        (b"junk", "multipart/form-data; boundary=x", "missing_required_parameter"),
        (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nCut',
         "multipart/form-data; boundary=x", "missing_required_parameter"),
        (b"".join(b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n1\r\n'
                  for _ in range(101)) + b"--x--\r\n",
         "multipart/form-data; boundary=x", "invalid_body"),
        (b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n
                  for n in range(1001)) + b"--x--\r\n",
         "multipart/form-data; boundary=x", "invalid_body"),
        (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\none\r\n' * 2 + b"--x--\r\n",
         "multipart/form-data; boundary=x", "duplicate_key"),
    ],
)  # fmt: skip
def test_a_broken_form_is_answered_in_json(server, keys, body, kind, code):
    with server.http(keys["good"]) as http:
        answer = http.post("/v1/audio/voices", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_recording_may_have_ten_mebibytes(server, keys, create):
    status, error = refused(create, "Large", wav(bytes(10 * 2**20)))
    assert (status, error["code"], error["param"]) == (413, "payload_too_large", "audio_sample")


@pytest.mark.parametrize(
    "filename",
    ["../../../etc/passwd", "x" * 200, "<img onerror=alert(1)>.wav", "...", "\u202egpj"],
)
def test_a_files_name_is_never_looked_at(client, filename):
    voice = client.audio.voices.create(
        name="By any name", audio_sample=(filename, clip("wav")), consent=WORD
    )
    assert "passwd" not in voice.to_json() and "img" not in voice.to_json()
    client.audio.voices.delete(voice.id)


# -- consents


def test_the_sdk_does_all_that_it_can_with_consents(client, create):
    consents = client.audio.voice_consents
    made = consents.create(name="Alice", language="en-US", recording=("x", clip("wav", 6.0)))
    assert made.id.startswith("cons_")
    assert (made.object, made.name, made.language) == ("audio.voice_consent", "Alice", "en-US")
    assert consents.retrieve(made.id) == made
    assert consents.update(made.id, name="Alice B.").name == "Alice B."
    assert create("On consent", consent=made.id).state == "ready"
    gone = consents.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "audio.voice_consent", True)
    assert refused(consents.retrieve, made.id)[0] == 404


def test_the_sdk_pages_through_consents(client):
    consents = client.audio.voice_consents
    made = [
        consents.create(name=f"Nr. {number}", language="de", recording=("x", clip("wav"))).id
        for number in range(5)
    ]
    page = consents.list(limit=2)
    assert [consent.id for consent in page.data] == made[:-3:-1]
    assert page.has_more
    assert [consent.id for consent in consents.list(limit=2)][:5] == made[::-1]
    for consent_id in made:
        consents.delete(consent_id)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=00010000", "limit=x", "limit=-1", "after=cons_0"]
)
def test_a_page_that_is_not_there_is_refused(server, keys, query):
    answer = server.get(f"/v1/audio/voice_consents?{query}", keys["good"])
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == query.partition("=")[0]


def test_a_phrase_is_handed_out_and_used_once(server, keys, client):
    phrase = server.get("/v1/audio/voice_consents/phrase?language=de-DE", keys["good"]).json()
    assert phrase["language"] == "de" and "Stimme" in phrase["text"]

    def send():
        return client.audio.voice_consents.create(
            name="Read", language="de", recording=("x", clip("wav", 12.0)),
            extra_body={"phrase": phrase["id"]},
        )  # fmt: skip

    assert send().phrase == phrase["text"]
    status, error = refused(send)
    assert (status, error["param"]) == (400, "phrase")


def test_without_consent_there_is_no_voice(create):
    status, error = refused(create, "Nobody asked", consent="")
    assert (status, error["code"], error["param"]) == (403, "consent_required", "consent")


def test_a_withdrawn_consent_silences_its_voice(client, create):
    consent = client.audio.voice_consents.create(
        name="Alice", language="en", recording=("x", clip("wav"))
    )
    voice = create("Silenced", consent=consent.id)
    client.audio.voice_consents.delete(consent.id)
    status, error = refused(
        client.audio.speech.create, model="tts-1", input="Good evening.", voice=voice.id
    )
    assert (status, error["code"]) == (403, "consent_required")
    assert refused(create, "Another", consent=consent.id)[0] == 404


# -- what does not belong to one


def test_foreign_and_missing_are_one_answer(server, keys, client, stranger, create):
    voice = create("Private")
    consent = client.audio.voice_consents.create(
        name="Mine", language="en", recording=("x", clip("wav"))
    )
    missing_voice = "voice_" + "0" * 24
    missing_consent = "cons_" + "0" * 24
    with server.http(keys["stranger"]) as http:
        for method in ("GET", "DELETE"):
            urls = (f"/v1/audio/voices/{voice.id}", f"/v1/audio/voices/{missing_voice}")
            assert one_answer(http, method, urls) == 404
        for method in ("GET", "POST", "DELETE"):
            urls = (
                f"/v1/audio/voice_consents/{consent.id}",
                f"/v1/audio/voice_consents/{missing_consent}",
            )
            assert one_answer(http, method, urls) == 404
        bodies = [
            http.post(SPEECH, json={"model": "tts-1", "input": "Hello.", "voice": wanted}).json()
            for wanted in (voice.id, voice.name, missing_voice, "Nobody")
        ]
        assert all(body == bodies[0] for body in bodies)
        assert bodies[0]["error"]["code"] == "unknown_voice"
    status, _ = refused(create, "Theirs", who=stranger, consent=consent.id)
    assert status == 404
    client.audio.voice_consents.delete(consent.id)


def one_answer(http, method, urls):
    """The status that all the URLs answer, with one body."""
    answers = [http.request(method, url, json={"name": "x"}) for url in urls]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    return answers[0].status_code


def test_without_the_scope_nothing_is_written(server, keys):
    with server.http(keys["without voices"]) as http:
        for method, url in (
            ("POST", "/v1/audio/voices"),
            ("DELETE", "/v1/audio/voices/voice_1"),
            ("GET", "/v1/audio/voice_consents"),
            ("GET", "/v1/audio/voice_consents/phrase"),
            ("POST", "/v1/audio/voice_consents"),
        ):
            answer = http.request(method, url)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "missing_scope"
