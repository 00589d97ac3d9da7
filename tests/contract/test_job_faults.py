"""Long texts when something goes wrong: a piece that fails, an engine that dies, a quota that is
used up, a voice that goes, a key that ends, a storage that is down."""

from __future__ import annotations

import time

import pytest

from tests.contract.test_jobs import ended

POISON = "This one is poison to it."
TEXT = f"All is well.\n\n{POISON}\n\nAll is well again."


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


def job_of(http, text=TEXT, **fields):
    answer = http.post("/api/jobs", json={"input": text, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def test_a_piece_that_fails_says_why_and_can_be_tried_again(http, faults):
    faults(match="poison", raise_at=0)
    job = ended(http, job_of(http))
    assert (job["state"], job["reason"]) == ("failed", "segments_failed")
    assert job["progress"]["segments"] == {"total": 3, "finished": 2, "failed": 1}
    (error,) = job["progress"]["errors"]
    assert (error["index"], error["code"]) == (1, "synthesis_failed")
    faults()
    http.post(f"/api/jobs/{job['id']}/action", json={"action": "retry"})
    assert ended(http, job["id"])["state"] == "completed"


def test_an_engine_that_dies_costs_no_piece(http, faults):
    faults(match="poison", die_at=1, times=1)
    assert ended(http, job_of(http))["state"] == "completed"


def test_a_job_waits_for_quota_and_charges_what_was_said(server, keys):
    with server.http(keys["no quota"]) as http:
        job = ended(http, job_of(http, "No.\n\nThis is too long for it."), "waiting")
        assert job["reason"] == "insufficient_quota"
        assert job["progress"]["queue_place"] >= 1
        assert http.get("/api/usage").json()["key"]["characters"]["used"] == len("No.")
        http.delete(f"/api/jobs/{job['id']}")


def test_a_key_with_one_stream_gets_its_text_said_piece_by_piece(server, keys):
    with server.http(keys["one stream"]) as http:
        assert ended(http, job_of(http))["state"] == "completed"


def test_an_unknown_voice_of_one_piece_is_refused_at_once(http):
    job = ended(http, job_of(http))
    answer = http.patch(f"/api/jobs/{job['id']}/segments/0", json={"voice": "nobody"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_voice")
    assert http.get(f"/api/jobs/{job['id']}").json()["state"] == "completed"


def test_people_who_listen_do_not_wait_for_jobs(http):
    job = job_of(http, "A sentence that takes its time to be said. " * 300)
    for _ in range(3):
        began = time.monotonic()
        body = {"model": "tts-1", "input": "Hello.", "response_format": "pcm"}
        assert http.post("/v1/audio/speech", json=body).status_code == 200
        assert time.monotonic() - began < 10
    http.post(f"/api/jobs/{job}/action", json={"action": "cancel"})
    http.delete(f"/api/jobs/{job}")


@pytest.mark.slow
def test_a_file_waits_for_the_storage_and_is_made_when_it_is_back(http, data_dir):
    job = ended(http, job_of(http))["id"]
    folder = data_dir / "media" / "jobs"
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way")
    try:
        http.post(f"/api/jobs/{job}/outputs", json={"format": "wav"})
        waiting = ended(http, job, "waiting", "failed")
        assert (waiting["state"], waiting["reason"]) == ("waiting", "storage_unavailable")
    finally:
        folder.unlink()
        folder.with_name("away").rename(folder)
    http.post(f"/api/jobs/{job}/action", json={"action": "resume"})  # sooner than by itself
    (output,) = ended(http, job)["progress"]["outputs"]
    assert output["state"] == "ready"
