"""Voices natively, through a live server: searched, changed, re-recorded, shared, reported,
exported and erased by their owner; to everybody else every route tells the same."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile

import pytest

from speech.urls import canonical
from tests.contract.test_voices import WORD
from tests.live import manage
from tests.voices.recordings import WORDS, clip, spoken, wav
from voices.wav import read_own

NOWHERE = {
    kind: f"{prefix}_" + "0" * 24
    for kind, prefix in {"voice": "voice", "consent": "cons", "design": "design"}.items()
}


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


@pytest.fixture
def make(http):
    made = []

    def make(name="Reader", sample=None, **fields):
        answer = http.post(
            "/api/voices",
            data={"name": name, "consent": WORD, **fields},
            files={"audio_sample": sample or clip("wav")},
        )
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
        return answer.json()

    yield make
    for voice_id in made:
        http.delete(f"/api/voices/{voice_id}")


def test_it_shows_a_voice_with_its_report_and_consent(http, make):
    made = make(language="en-gb", description="Calm")
    shown = http.get(f"/api/voices/{made['id']}").json()
    assert shown == made
    assert (shown["language"], shown["description"], shown["mine"]) == ("en-GB", "Calm", True)
    assert shown["consent"].startswith("cons_")
    assert shown["sample"]["report"]["measures"]["speech_seconds"] > 1


def test_an_unknown_field_is_an_error_here(http):
    answer = http.post(
        "/api/voices",
        data={"name": "Extra", "consent": WORD, "colour": "red"},
        files={"audio_sample": clip("wav")},
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "colour")


def test_it_searches_and_filters(http, make):
    first = make("Grandma", description="tells stories", language="de-AT")
    second = make("Newsreader", language="en")
    http.patch(f"/api/voices/{second['id']}", json={"tags": ["news"], "visibility": "public"})

    def found(**query):
        return {voice["id"] for voice in http.get("/api/voices", params=query).json()["data"]}

    assert {first["id"], second["id"]} <= found(owner="own")
    assert found(q="grand") == found(q="STORIES") == found(language="de") == {first["id"]}
    assert found(tag="news") == found(visibility="public") == {second["id"]}
    assert found(state="disabled") == found(owner="others") == set()
    assert http.get("/api/voices?colour=red").json()["error"]["param"] == "colour"


def test_it_pages_newest_first(http, make):
    made = [make(f"Nr. {number}")["id"] for number in range(3)]
    page = http.get("/api/voices?owner=own&limit=2").json()
    assert [voice["id"] for voice in page["data"]] == [made[2], made[1]]
    assert page["has_more"]
    rest = http.get(f"/api/voices?owner=own&limit=2&after={page['last_id']}").json()
    assert rest["data"][0]["id"] == made[0]


def test_only_what_is_given_changes(http, make):
    made = make(description="Calm")
    changed = http.patch(
        f"/api/voices/{made['id']}", json={"name": "Other", "tags": ["a", "b"]}
    ).json()
    assert (changed["name"], changed["tags"], changed["description"]) == (
        "Other", ["a", "b"], "Calm",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "nova"}, "name"),
        ({"name": 5}, "name"),
        ({"visibility": "shared"}, "visibility"),
        ({"state": "ready"}, "state"),
        ({"tags": "a"}, "tags"),
        ({"language": "xxxxxx"}, "language"),
    ],
)
def test_what_may_not_be_set_is_named(http, make, body, param):
    answer = http.patch(f"/api/voices/{make()['id']}", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_new_recording_is_a_new_version_and_an_old_one_can_speak_again(http, make):
    url = f"/api/voices/{make()['id']}"
    added = http.post(
        f"{url}/versions", files={"audio_sample": wav(spoken())}, data={"transcript": WORDS}
    ).json()
    assert (added["version"], added["transcript"]) == (2, WORDS)
    assert http.get(url).json()["version"] == 2
    assert http.post(f"{url}/versions/1/restore").json()["version"] == 1
    assert [version["version"] for version in http.get(f"{url}/versions").json()["data"]] == [2, 1]
    assert http.post(f"{url}/versions/9/restore").status_code == 404


def test_a_shared_voice_is_seen_and_reported_by_those_it_is_shared_with(server, keys, http, make):
    url = f"/api/voices/{make()['id']}"
    with server.http(keys["stranger"]) as stranger:
        assert stranger.get(url).status_code == 404
        shared = http.post(f"{url}/share", json={"accounts": ["strangers"]}).json()
        assert (shared["visibility"], shared["shared_with"]) == ("shared", ["strangers"])
        seen = stranger.get(url).json()
        assert not seen["mine"]
        assert not {"consent", "shared_with", "sample"} & set(seen)
        assert stranger.post(f"{url}/report", json={"reason": "This is me!"}).json()["reported"]
        for method, path in (("PATCH", url), ("DELETE", url), ("GET", f"{url}/export")):
            assert stranger.request(method, path, json={}).status_code == 404
        http.post(f"{url}/share", json={"accounts": []})
        assert stranger.get(url).status_code == 404


def test_nobody_is_no_account_to_share_with(http, make):
    answer = http.post(f"/api/voices/{make()['id']}/share", json={"accounts": ["nobody at all"]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "accounts")


def test_an_export_holds_what_the_model_hears_and_all_that_is_known(http, make):
    made = make(sample=wav(spoken()), transcript=WORDS)
    answer = http.get(f"/api/voices/{made['id']}/export")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        about = json.loads(archive.read("voice.json"))
        samples, rate = read_own(archive.read("version-1.wav"))
    assert about["id"] == made["id"]
    assert about["consent"]["statement"] == WORD
    assert about["versions"][0]["transcript"] == WORDS
    assert len(samples) / rate > 2


def test_a_recording_is_heard_whole_and_in_ranges(http, make):
    url = f"/api/voices/{make()['id']}/versions/1/recording"
    whole = http.get(url)
    assert whole.headers["content-type"] == "audio/wav"
    assert len(whole.content) == int(whole.headers["content-length"])
    part = http.get(url, headers={"range": "bytes=-100"})
    assert (part.status_code, part.content) == (206, whole.content[-100:])
    assert http.get(url, headers={"range": "bytes=99999999-"}).status_code == 416
    head = http.head(url)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
    assert http.get(url.replace("/1/", "/2/")).status_code == 404


@pytest.mark.slow
def test_erasing_gives_a_signed_receipt(http, make, data_dir, tmp_path):
    made = make()
    receipt = http.delete(f"/api/voices/{made['id']}").json()
    assert receipt["sha256"] == [made["sample"]["sha256"]]
    assert receipt["finished_at"] >= receipt["started_at"]
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt))
    assert made["id"] in manage(data_dir, "verifyreceipt", str(file))
    for change in ({"sha256": []}, {"started_at": 1}, {"signature": ""}, {"more": True}):
        file.write_text(json.dumps(receipt | change))
        with pytest.raises(AssertionError, match="was not given here, or it was changed"):
            manage(data_dir, "verifyreceipt", str(file))
    assert http.get(f"/api/voices/{made['id']}").status_code == 404


def test_a_key_that_is_for_another_voice_finds_none(server, keys, make):
    made = make()
    with server.http(keys["one voice"]) as held:
        assert held.get(f"/api/voices/{made['id']}").status_code == 404
        assert held.delete(f"/api/voices/{made['id']}").status_code == 404
        assert held.post(f"/api/voices/{made['id']}/preview").status_code == 404
        told = held.post(f"/api/voices/{made['id']}/report", json={"reason": "Theirs."})
        assert told.status_code == 404
        assert held.get("/api/voices").json()["data"] == []


# -- the matrix: every route with an id, as everybody

WITH_ID = [
    (method.upper(), str(pattern.pattern))
    for pattern in canonical
    if re.search(r"(voice|consent).*<", str(pattern.pattern))
    for method in ("get", "post", "patch", "delete")
    if hasattr(pattern.callback.cls, method)
]
# One gate stands before all of them: the fast tests ask at OpenAI's face.
every_route = pytest.mark.parametrize(
    ("method", "route"),
    [
        pytest.param(*one, marks=() if one[1].startswith("v1/") else pytest.mark.slow)
        for one in WITH_ID
    ],
)


@pytest.fixture
def make_design(voice_server, keys):
    """A draft of a voice; it is there for whoever made it, whatever engine runs."""
    drafts = []
    with voice_server.http(keys["good"]) as http:

        def make_design():
            made = http.post("/api/voices/designs", json={"description": "A calm old man"})
            drafts.append(made.json()["id"])
            return drafts[-1]

        yield make_design
        for draft in drafts:
            http.delete(f"/api/voices/designs/{draft}")


def kind_of(route):
    return next((kind for kind in ("consent", "design") if kind in route), "voice")


def ask(client, method, route, ids):
    wanted = ids[kind_of(route)]
    url = "/" + re.sub(r"<number:\w+>", "1", re.sub(r"<\w+:name>", wanted, route))
    body = {"name": "Same", "accounts": [], "reason": "Because."}
    needed = {"share": ["accounts"], "report": ["reason"], "withdraw": ["reason"]}.get(
        route.rpartition("/")[2], ["name"]
    )
    return client.request(method, url, json={name: body[name] for name in needed})


# Of routes with an id, those that tell the same to everybody, and those whose own tests ask so.
ELSEWHERE = re.compile(r"v1/models/|api/jobs|mcp/audio/")
LISTING = ("GET", "v1/audio/voices/<path:name>")  # in which a private voice does not stand


def test_the_matrix_has_every_route():
    with_id = {str(pattern.pattern) for pattern in canonical if "<" in str(pattern.pattern)}
    assert {route for route in with_id if not ELSEWHERE.match(route)} == {r for _, r in WITH_ID}
    assert len(WITH_ID) >= 14
    assert {method for method, _ in WITH_ID} == {"GET", "POST", "PATCH", "DELETE"}


@every_route
def test_a_stranger_sees_what_is_seen_where_nothing_is(
    server, keys, browse, http, make, make_design, method, route
):
    voice_id = make()["id"]
    consent_id = http.get(f"/api/voices/{voice_id}").json()["consent"]
    ids = {"voice": voice_id, "consent": consent_id}
    if kind_of(route) == "design":
        ids["design"] = make_design()
    with server.http(keys["stranger"]) as stranger:
        foreign = ask(stranger, method, route, ids)
        missing = ask(stranger, method, route, NOWHERE)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    # Staff are nobody here: neither the admin, who may everything there, nor a clerk.
    for name in ("clerk", "admin"):
        browser = browse(name)
        signed_in = ask(browser, method, route, ids)
        if route.startswith("api/"):
            nowhere = ask(browser, method, route, NOWHERE)
            assert (signed_in.status_code, signed_in.content) == (
                nowhere.status_code,
                nowhere.content,
            )
            assert signed_in.status_code in (404, 400)  # a form's token is looked for in its body
        else:
            assert signed_in.status_code == (404 if (method, route) == LISTING else 401)
    for key, status in (("revoked", 401), ("without voices", 401), (None, 401)):
        if key is None and (method, route) == LISTING:
            status = 404
        if key == "without voices" and (method, route) == LISTING:
            continue
        with server.http(keys[key] if key else None) as nobody:
            assert ask(nobody, method, route, ids).status_code == status
    # Nothing of all that did anything; and another key of the account may do it.
    with server.http(keys["every scope"]) as member:
        assert member.get(f"/api/voices/{voice_id}").status_code == 200
        answer = ask(member, method, route, ids)
    assert answer.status_code in (200, 400), answer.text


@every_route
def test_what_is_foreign_takes_as_long_as_what_is_not_there(
    server, keys, http, make, make_design, method, route
):
    """The quickest of several each, in turns: what else the machine does then tells little."""
    voice_id = make()["id"]
    ids = {"voice": voice_id, "consent": http.get(f"/api/voices/{voice_id}").json()["consent"]}
    if kind_of(route) == "design":
        ids["design"] = make_design()
    times = {"foreign": [], "missing": []}
    with server.http(keys["stranger"]) as stranger:
        for turn in range(40):
            for name, asked in (("foreign", ids), ("missing", NOWHERE)):
                began = time.perf_counter()
                ask(stranger, method, route, asked)
                times[name].append(time.perf_counter() - began)
            foreign, missing = min(times["foreign"]), min(times["missing"])
            if turn >= 7 and abs(foreign - missing) < max(0.01, missing):
                break
    assert abs(foreign - missing) < max(0.01, missing), times


def test_a_browser_needs_its_token(browse):
    answer = browse("dora", token="").post(
        "/api/voices", data={"name": "x"}, files={"audio_sample": clip("wav")}
    )
    assert answer.status_code == 403, answer.text


def test_a_browser_with_its_token_makes_a_voice_of_its_persons(browse):
    dora = browse("dora")
    made = dora.post(
        "/api/voices",
        data={"name": "Dora", "consent": WORD},
        files={"audio_sample": clip("webm/opus")},
    )
    assert made.status_code == 200, made.text
    assert dora.delete(f"/api/voices/{made.json()['id']}").status_code == 200


@pytest.mark.parametrize("written", ["%00", "voice_%00", "..%2f..", "%F0%9F%98%80", "x" * 300])
def test_what_can_be_no_id_is_not_found(http, written):
    for url in ("/api/voices", "/v1/audio/voices", "/v1/audio/voice_consents"):
        answer = http.get(f"{url}/{written}")
        assert answer.status_code == 404
    assert http.get("/v1/audio/voice_consents?after=%00").status_code == 400
