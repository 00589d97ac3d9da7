"""Long texts natively, through a live server: taken in every form, watched, steered, corrected
segment by segment, fetched as files, and nobody else's business."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile

import av
import numpy as np
import pytest

from speech.urls import canonical
from tests.documents.packed import epub

TEXT = "Chapter 1\n\nIt was late. Nobody spoke.\n\nChapter 2\n\nThen it was morning."
MISSING = "job_" + "0" * 24


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


@pytest.fixture(scope="module")
def make(http):
    made = []

    def make(text=TEXT, **fields):
        answer = http.post("/api/jobs", json={"input": text, **fields})
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
        return answer.json()

    yield make
    for job_id in made:
        http.delete(f"/api/jobs/{job_id}")


def ended(http, job_id, *states):
    """The job, once it is in one of these states."""
    deadline = time.monotonic() + 90
    while (job := http.get(f"/api/jobs/{job_id}").json())["state"] not in (
        states or ("completed", "failed")
    ):
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    return job


@pytest.fixture(scope="module")
def done(http, make):
    """A finished job with a file of each kind that matters."""
    wanted = [{"format": "m4b"}, {"format": "mp3", "split": "chapters"}]
    return ended(http, make(title="A night", voice="nova", seed=5, outputs=wanted)["id"])


def decoded(data):
    """The samples of a file, its rate, its chapters and its tags."""
    with av.open(io.BytesIO(data)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        pieces = [
            out.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for out in resampler.resample(frame)
        ]
        return np.concatenate(pieces), rate, container.chapters(), dict(container.metadata)


def test_it_says_all_of_it_and_tells_how_far_it_is(done):
    progress = done["progress"]
    assert done["state"] == "completed"
    assert progress["segments"] == {"total": 5, "finished": 5, "failed": 0}
    assert progress["characters"]["done"] == done["characters"]
    assert [chapter["title"] for chapter in done["chapters"]] == ["Chapter 1", "Chapter 2"]
    assert progress["playable"] == 5
    assert done["started_at"] <= done["finished_at"]


def test_a_book_has_its_chapters_its_length_and_says_that_it_is_synthetic(http, done):
    whole, _ = done["progress"]["outputs"]
    answer = http.get(f"/api/jobs/{done['id']}/outputs/{whole['id']}")
    assert answer.headers["content-type"] == "audio/mp4"
    assert answer.headers["content-disposition"] == 'attachment; filename="A night.m4b"'
    samples, rate, chapters, tags = decoded(answer.content)
    assert len(samples) / rate == pytest.approx(whole["seconds"], abs=0.15)
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["Chapter 1", "Chapter 2"]
    assert "AI-generated" in tags["comment"]
    assert tags["title"] == "A night"


def test_a_zip_has_a_file_and_captions_for_each_chapter(http, done):
    _, packed = done["progress"]["outputs"]
    answer = http.get(f"/api/jobs/{done['id']}/outputs/{packed['id']}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        samples, rate, _, _ = decoded(archive.read("001 Chapter 1.mp3"))
        captions = archive.read("001 Chapter 1.srt").decode()
    assert names[1:] == [
        f"{chapter}.{kind}"
        for chapter in ("001 Chapter 1", "002 Chapter 2")
        for kind in ("mp3", "srt", "vtt")
    ]
    last = re.findall(r"--> 00:00:(\d\d),(\d\d\d)", captions)[-1]
    assert float(".".join(last)) == pytest.approx(len(samples) / rate, abs=0.1)


def test_captions_stand_where_the_segments_are_heard(http, done):
    answer = http.get(f"/api/jobs/{done['id']}/captions?format=vtt")
    assert answer.headers["content-type"].startswith("text/vtt")
    assert answer.text.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert answer.text.count("-->") == 5
    srt = http.get(f"/api/jobs/{done['id']}/captions?chapter=1").text
    assert "Then it was morning." in srt
    assert "late" not in srt


def test_a_file_is_fetched_in_ranges(http, done):
    whole, _ = done["progress"]["outputs"]
    url = f"/api/jobs/{done['id']}/outputs/{whole['id']}"
    data = http.get(url).content

    def asked(header):
        answer = http.get(url, headers={"range": header})
        return answer.status_code, answer.content

    assert asked("bytes=0-") == (200, data)
    assert asked("bytes=10-19") == (206, data[10:20])
    assert asked("bytes=-7") == (206, data[-7:])
    assert asked(f"bytes={len(data) - 1}-{10**11}") == (206, data[-1:])
    for none in ("bytes=0-1,5-6", "bytes=9-1x", "bytes=9-1"):
        assert asked(none) == (200, data)
    for wrong in ("bytes=-0", f"bytes={len(data)}-"):
        answer = http.get(url, headers={"range": wrong})
        assert (answer.status_code, answer.content) == (416, b"")
        assert answer.headers["content-range"] == f"bytes */{len(data)}"


def test_one_segment_is_corrected_and_only_it_is_charged(http, make):
    job = ended(http, make()["id"])
    url = f"/api/jobs/{job['id']}/segments"
    before = http.get(url).json()["data"]
    audio = [http.get(f"{url}/{number}/audio").content for number in range(5)]
    used = http.get("/api/usage").json()["account"]["characters"]["used"]
    wanted = {"text": "Somebody spoke.", "seed": 9, "version": 1}
    changed = http.patch(f"{url}/2", json=wanted).json()
    assert (changed["state"], changed["version"], changed["has_audio"]) == ("pending", 2, True)
    late = http.patch(f"{url}/2", json=wanted)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed_meanwhile")
    again = ended(http, job["id"])
    assert again["progress"]["segments"]["finished"] == 5
    after = http.get("/api/usage").json()["account"]["characters"]["used"]
    assert after - used == len("Somebody spoke.")
    for number, segment in enumerate(http.get(url).json()["data"]):
        heard = http.get(f"{url}/{number}/audio").content
        assert (heard == audio[number]) == (number != 2)
        assert (segment == before[number]) == (number != 2)


def test_speakers_have_voices_of_their_own(http, make):
    text = "[voice: nova]\nHello.\n\n[voice: Old man]\nGo away.\n\n[voice]\nHe shut the door."
    job = make(text, voice="echo", speakers={"Old man": "onyx"}, start=False)
    assert (job["state"], job["speakers"]) == ("draft", {"nova": "", "Old man": "onyx"})
    assert http.patch(f"/api/jobs/{job['id']}", json={"voice": "sage"}).status_code == 200
    for field, voices in (("speakers", {"Young man": "onyx"}), ("chapter_voices", {"7": "onyx"})):
        refused = http.patch(f"/api/jobs/{job['id']}", json={field: voices})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, field)
    http.post(f"/api/jobs/{job['id']}/action", json={"action": "start"})
    job = ended(http, job["id"])
    segments = http.get(f"/api/jobs/{job['id']}/segments").json()["data"]
    assert [segment["spoken_voice"] for segment in segments] == ["nova", "onyx", "sage"]
    refused = http.patch(f"/api/jobs/{job['id']}", json={"voice": "echo", "title": "Other"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "job_state")
    assert http.get(f"/api/jobs/{job['id']}").json()["title"] == job["title"]
    renamed = http.patch(f"/api/jobs/{job['id']}", json={"title": ""}).json()
    assert renamed["title"] == "Hello. Go away. He shut the door."


def test_a_speaker_without_a_voice_is_refused_before_anything_is_said(http):
    answer = http.post("/api/jobs", json={"input": "[voice: Nobody at all]\nHello."})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_voice")


def test_a_file_is_taken_with_its_chapters(http):
    answer = http.post(
        "/api/jobs",
        files={
            "file": ("a book.epub", epub("<h1>One</h1><p>Text.</p>", "<h1>Two</h1><p>More.</p>"))
        },
        data={"options": json.dumps({"start": False, "voice": "nova"})},
    )
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert (job["title"], job["voice"], job["state"]) == ("A Book", "nova", "draft")
    assert [chapter["title"] for chapter in job["chapters"]] == ["One", "Two"]
    assert http.delete(f"/api/jobs/{job['id']}").json()["deleted"]
    assert http.get(f"/api/jobs/{job['id']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"%PDF-1.7", "invalid_document"),
        ("a.txt", b"", "invalid_document"),
        ("a.epub", b"PK\x03\x04", "invalid_document"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(http, name, data, code):
    answer = http.post("/api/jobs", files={"file": (name, data)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("options", ["[]", "5", '{"start":', "nothing"])
def test_options_that_are_no_object_are_named(http, options):
    answer = http.post("/api/jobs", files={"file": ("a.txt", b"Hi.")}, data={"options": options})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "options")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": "..."}, "input"),
        ({"input": "x", "colour": "red"}, "colour"),
        ({"input": "x", "outputs": [{"format": "exe"}]}, "outputs.0.format"),
        ({"input": "x", "outputs": [{"format": "mp3"}] * 2}, "outputs"),
        ({"input": "x", "webhook": {"url": "http://example.com"}}, "webhook.url"),
        ({"input": "x", "webhook": {"url": "https://127.0.0.1/x"}}, "webhook.url"),
        ({"input": "x", "webhook": {"url": "https://[::ffff:10.0.0.1]/"}}, "webhook.url"),
        ({"input": "x", "webhook": {"url": "https://a:b@example.com"}}, "webhook.url"),
        ({"input": "x", "chapter_voices": {"one": "nova"}}, "chapter_voices"),
        ({"input": "x", "speed": 5}, "speed"),
        ({"input": " \n"}, "input"),
        ({"input": "x", "speakers": {"Ana": "nova"}}, "speakers"),
        ({"input": "[voice: Anna]\nHi.", "speakers": {"": "nova"}}, "speakers"),
        ({"input": "x", "chapter_voices": {"1": "nova"}}, "chapter_voices"),
        ({"input": "x", "chapter_voices": {"0": "nobody"}}, "chapter_voices.0"),
        ({"input": "[voice: Anna]\nHi."}, "input"),
        ({"input": "x", "voice": "nobody"}, "voice"),
    ],
)
def test_what_may_not_be_set_is_named(http, body, param):
    answer = http.post("/api/jobs", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text


def test_a_job_is_paused_moved_resumed_and_cancelled(http, make):
    long = "A sentence that takes its time to be said, as all of them do. " * 400
    job, other = make(long), make(long)

    def act(**body):
        return http.post(f"/api/jobs/{job['id']}/action", json=body)

    assert act(action="pause").json()["state"] == "paused"
    assert act(action="pause").status_code == 409
    assert act(action="move", before=other["id"]).status_code == 200
    assert act(action="move", before=MISSING).status_code == 404
    assert act(action="resume", before=other["id"]).json()["error"]["param"] == "before"
    assert act(action="resume").json()["state"] == "queued"
    assert act(action="cancel").json()["state"] == "cancelled"
    http.post(f"/api/jobs/{other['id']}/action", json={"action": "cancel"})


def test_it_lists_them_newest_first(http, make):
    made = [make(start=False)["id"] for _ in range(3)]
    page = http.get("/api/jobs?limit=2&state=draft").json()
    assert [job["id"] for job in page["data"]] == [made[2], made[1]]
    assert page["has_more"]
    rest = http.get(f"/api/jobs?limit=1&after={page['last_id']}").json()
    assert rest["data"][0]["id"] == made[0]
    assert http.get("/api/jobs?after=job_x").json()["error"]["param"] == "after"


# -- the matrix: every route with an id, as somebody else

BODIES = {
    "PATCH": {"title": "Mine", "text": "Mine."},
    "action": {"action": "cancel"},
    "outputs": {"format": "wav"},
}
WITH_ID = [
    (method.upper(), str(pattern.pattern))
    for pattern in canonical
    if str(pattern.pattern).startswith("api/jobs/")
    for method in ("get", "post", "patch", "delete")
    if hasattr(pattern.callback.cls, method)
]


@pytest.mark.parametrize(("method", "route"), WITH_ID)
def test_a_stranger_sees_what_is_seen_where_nothing_is(server, keys, done, method, route):
    def ask(client, job_id):
        url = "/" + route.replace("<str:name>", job_id).replace("<number:index>", "0")
        url = url.replace("<str:output>", done["progress"]["outputs"][0]["id"])
        body = BODIES.get(route.rpartition("/")[2], {"title": "Mine"})
        if "<number:index>" in route:
            body = {"text": "Mine."}
        return client.request(method, url, json=body if method in ("POST", "PATCH") else None)

    with server.http(keys["stranger"]) as stranger:
        foreign, missing = ask(stranger, done["id"]), ask(stranger, MISSING)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    for key in ("revoked", "without jobs", None):
        with server.http(keys[key] if key else None) as nobody:
            assert ask(nobody, done["id"]).status_code == 401


def test_a_browser_needs_its_token(browse):
    assert browse("dora", token="").post("/api/jobs", json={"input": "x"}).status_code == 403
    made = browse("dora").post("/api/jobs", json={"input": "Hello.", "start": False})
    assert made.status_code == 200, made.text
