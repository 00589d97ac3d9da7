"""A voice that is erased, or whose consent is withdrawn, while a long text is said in it: what was
said stays, nothing is said in another voice."""

from __future__ import annotations

import json
import time

import pytest

from tests.contract.test_jobs import ended
from tests.contract.test_voices import WORD
from tests.live import LiveServer
from tests.voices.recordings import clip

TEXT = "A sentence that takes its time to be said, as all of them do. " * 60


@pytest.fixture
def http(data_dir, keys):
    """An engine that clones, slowly enough for somebody to change their mind."""
    config = json.dumps({"speed": 10, "also": ["clone"]})
    environment = {"ENGINE_CONFIG": config, "VOICE_CHECKS": "report"}
    with LiveServer(data_dir, environment) as server, server.http(keys["good"]) as http:
        yield http


ENDS = {
    "unknown_voice": lambda http, voice: http.delete(f"/v1/audio/voices/{voice['id']}"),
    "consent_required": lambda http, voice: http.post(
        f"/api/consents/{voice['consent']}/withdraw", json={}
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("code", ENDS)
def test_it_fails_what_is_still_to_be_said_and_says_nothing_in_another(http, code):
    voice = http.post(
        "/api/voices",
        data={"name": "Brief", "consent": WORD},
        files={"audio_sample": ("brief.wav", clip("wav"))},
    ).json()
    job = http.post("/api/jobs", json={"input": TEXT, "voice": voice["id"]}).json()["id"]
    while not http.get(f"/api/jobs/{job}").json()["segments"]["finished"]:
        time.sleep(0.05)
    assert ENDS[code](http, voice).status_code == 200
    told = ended(http, job)
    assert (told["state"], told["reason"]) == ("failed", "segments_failed")
    segments = http.get(f"/api/jobs/{job}/segments", params={"limit": 100}).json()["data"]
    failed = [one for one in segments if one["state"] == "failed"]
    assert 0 < len(failed) < len(segments)
    assert {one["error"]["code"] for one in failed} == {code}
    assert {one["state"] for one in segments} == {"finished", "failed"}
    http.delete(f"/api/voices/{voice['id']}")
    charged = http.get(f"/api/jobs/{job}").json()["progress"]["characters"]["done"]
    assert charged == sum(one["characters"] for one in segments if one["state"] == "finished")
