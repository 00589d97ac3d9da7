"""A voice designed natively: described, heard with several seeds, one of them kept, and then the
same voice for ever. The engine is a tone that every voice gives its register."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing

import pytest
import soundfile

from tests.faults.invariants import Trace
from voices.designs import MOST_CANDIDATES, MOST_DESIGNS

CALM = {"description": "An old man, calm and dry (and slow)"}


@pytest.fixture(scope="module")
def http(voice_server, keys):
    with voice_server.http(keys["good"]) as http:
        yield http


@pytest.fixture
def design(http):
    drafts = []

    def design(**fields):
        answer = http.post("/api/voices/designs", json={**CALM, **fields})
        assert answer.status_code == 200, answer.text
        drafts.append(answer.json()["id"])
        return answer.json()

    yield design
    for draft in drafts:
        http.delete(f"/api/voices/designs/{draft}")


def count(data_dir, table):
    with closing(sqlite3.connect(data_dir / "voxplatform.sqlite3")) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def stored(data_dir):
    return set((data_dir / "media").rglob("*.wav"))


def test_a_description_is_spoken_and_can_be_heard(http, design):
    made = design(seed=5, language="en-gb")
    [candidate] = made["candidates"]
    assert (candidate["number"], candidate["seed"], candidate["model"]) == (1, 5, "tone")
    assert candidate["report"]["measures"]["seconds"] > 1
    answer = http.get(f"/api/voices/designs/{made['id']}/candidates/1/audio")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "audio/wav", "no-store",
    )  # fmt: skip
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert len(samples) / rate == pytest.approx(candidate["seconds"], abs=0.1)
    assert http.get(f"/api/voices/designs/{made['id']}").json() == made
    assert made in http.get("/api/voices/designs").json()["data"]


def test_it_is_metered_like_any_speech(http, design, data_dir):
    def characters():
        Trace.at_rest(data_dir)
        return http.get("/api/usage").json()["key"]["characters"]["used"]

    before = characters()
    text = "This is what it costs to hear it."
    design(text=text)
    assert characters() == before + len(text)


def test_another_seed_is_another_candidate_and_the_kept_one_speaks(http, design, data_dir):
    before = stored(data_dir)
    made = design()
    url = f"/api/voices/designs/{made['id']}/candidates"
    second = http.post(url, json={"seed": 7}).json()
    assert (second["number"], second["seed"]) == (2, 7)
    heard = http.get(f"{url}/2/audio").content
    assert heard != http.get(f"{url}/1/audio").content
    voice = http.post(f"{url}/2/keep", json={"name": "Grandpa", "tags": ["old"]}).json()
    try:
        assert (voice["type"], voice["kind"], voice["tags"]) == ("prompt", "designed", ["old"])
        assert (voice["description"], voice["consent"]) == (CALM["description"], None)
        assert http.get(f"/api/voices/designs/{made['id']}").status_code == 404
        assert len(stored(data_dir) - before) == 1, "the others are erased"
        body = {"input": "Good evening.", "voice": "grandpa", "response_format": "pcm", "seed": 1}
        spoken = http.post("/api/speech", json=body)
        assert spoken.status_code == 200, spoken.text
        assert spoken.content == http.post("/api/speech", json=body).content
        refused = http.post(
            f"/api/voices/{voice['id']}/versions", files={"audio_sample": heard}
        ).json()
        assert refused["error"]["param"] == "audio_sample", "no person comes in this way"
    finally:
        assert http.delete(f"/api/voices/{voice['id']}").status_code == 200
    assert stored(data_dir) == before


def test_a_model_that_cannot_design_says_which_can(server, keys):
    with server.http(keys["good"]) as http:
        answer = http.post("/api/voices/designs", json=CALM)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_by_model")
    assert "voxcpm2" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"description": "x"}, "description"),
        ({"description": None}, "description"),
        ({"text": "Too short."}, "text"),
        ({"seed": -1}, "seed"),
        ({"language": "xxxxxx"}, "language"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named_and_leaves_nothing(http, data_dir, change, param):
    answer = http.post("/api/voices/designs", json={**CALM, **change})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert count(data_dir, "voices_voicedesign") == 0


@pytest.mark.parametrize("key", ["without speech", "without voices", "one voice", "no quota"])
def test_it_takes_the_right_to_speak_and_to_have_voices(voice_server, keys, key, data_dir):
    with voice_server.http(keys[key]) as http:
        assert http.post("/api/voices/designs", json=CALM).status_code in (401, 403, 429)
    assert count(data_dir, "voices_voicedesign") == 0


@pytest.mark.slow
def test_designs_and_candidates_are_few(http, design):
    made = design()
    url = f"/api/voices/designs/{made['id']}/candidates"
    for _ in range(MOST_CANDIDATES - 1):
        assert http.post(url, json={}).status_code == 200
    full = http.post(url, json={})
    assert (full.status_code, full.json()["error"]["code"]) == (403, "voice_limit_reached")
    for _ in range(MOST_DESIGNS - 1):
        design()
    full = http.post("/api/voices/designs", json=CALM)
    assert (full.status_code, full.json()["error"]["code"]) == (403, "voice_limit_reached")


def test_dropping_one_erases_it(http, design, data_dir):
    before = stored(data_dir)
    made = design()
    assert len(stored(data_dir) - before) == 1
    assert http.delete(f"/api/voices/designs/{made['id']}").json()["deleted"]
    assert stored(data_dir) == before
    assert http.delete(f"/api/voices/designs/{made['id']}").status_code == 404


def test_a_voice_is_previewed_in_its_language(http, design):
    made = design(language="de")
    url = f"/api/voices/designs/{made['id']}/candidates/1/keep"
    voice = http.post(url, json={"name": "Opa"}).json()
    try:
        heard = http.post(f"/api/voices/{voice['id']}/preview")
        assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/mpeg")
        assert heard.content != http.post("/api/voices/alloy/preview").content
    finally:
        http.delete(f"/api/voices/{voice['id']}")
    gone = http.post(f"/api/voices/{voice['id']}/preview")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")
