"""A storage that is away, slow, full or read-only, before a live server: who sends a recording is
told so and nothing is half there, who speaks without one is not touched, and when it is back the
rest is made up for."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.test_voices import WORD
from tests.hub.child import SMALL_DISK
from tests.live import LiveServer
from tests.voices.object_store import BUCKET, KEYS, REFUSALS, ObjectStore
from tests.voices.recordings import clip

pytestmark = pytest.mark.slow
CLONES = {"ENGINE_CONFIG": json.dumps({"also": ["clone"]}), "VOICE_CHECKS": "report"}


@pytest.fixture(scope="module")
def store():
    store = ObjectStore()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def own_dir(data_dir, live_key, tmp_path_factory):
    """``live_key`` is there before the data is copied."""
    return shutil.copytree(data_dir, tmp_path_factory.mktemp("storage") / "data")


@pytest.fixture(scope="module")
def http(store, own_dir, live_key):
    bucket = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT": store.url,
        "S3_REGION": "us-east-1",
        "S3_SECONDS": "0.4",
        **{f"S3_{name.upper()}": value for name, value in KEYS.items()},
    }
    with LiveServer(own_dir, CLONES | bucket) as server, server.http(live_key) as http:
        speak(http)  # makes the built-in voice, which lies in the storage as well
        yield http


@pytest.fixture
def fault(store):
    @contextmanager
    def fault(name):
        store.fault = name
        try:
            yield
        finally:
            store.fault = None

    return fault


def speak(http, voice="alloy"):
    body = {"model": "tts-1", "input": "Good evening.", "voice": voice, "response_format": "pcm"}
    return http.post("/v1/audio/speech", json=body)


def upload(http, name):
    return http.post(
        "/v1/audio/voices",
        data={"name": name, "consent": WORD},
        files={"audio_sample": clip("wav")},
    )


def away(answer):
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["code"] == "storage_unavailable"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    return True


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("name", [*REFUSALS, "slow", "down"])
def test_what_cannot_be_stored_is_told_and_nothing_is_recorded(http, fault, name):
    listed = http.get("/api/voices").json()
    consents = http.get("/v1/audio/voice_consents").json()
    with fault(name):
        assert away(upload(http, "Unwanted"))
        assert speak(http).status_code == 200
    assert http.get("/api/voices").json() == listed
    assert http.get("/v1/audio/voice_consents").json() == consents
    voice = upload(http, "Unwanted").json()
    assert speak(http, voice["id"]).status_code == 200
    http.delete(f"/v1/audio/voices/{voice['id']}")


@pytest.mark.parametrize("name", ["slow down", "broken", "slow", "down", "cut"])
def test_a_voice_that_cannot_be_read_says_so_and_speaks_when_it_can(http, fault, name):
    voice = upload(http, "Read").json()["id"]
    with fault(name):
        assert away(speak(http, voice))
        assert away(http.get(f"/api/voices/{voice}/export"))
    assert speak(http, voice).status_code == 200
    http.delete(f"/v1/audio/voices/{voice}")


def test_what_is_erased_meanwhile_is_gone_at_once_and_from_the_storage_later(http, store, fault):
    before = set(store.keys())
    voice = upload(http, "Erased").json()["id"]
    (key,) = set(store.keys()) - before
    with fault("down"):
        receipt = http.delete(f"/api/voices/{voice}")
        assert (receipt.status_code, receipt.json()["finished_at"]) == (200, None)
        assert http.get(f"/api/voices/{voice}").status_code == 404
    assert key in set(store.keys())
    eventually(lambda: key not in set(store.keys()))


# -- a disk


def test_a_full_disk_keeps_what_it_has_and_takes_more_when_there_is_room(own_dir, live_key):
    media = own_dir / "media"
    media.mkdir(exist_ok=True)
    small = ("unshare", "-rm", "sh", "-c", SMALL_DISK, "sh", "400k", str(media))
    if subprocess.run([*small, "true"], check=False).returncode:
        pytest.skip("this machine lets no test mount a disk")
    with LiveServer(own_dir, before=small) as server, server.http(live_key) as http:
        made = []
        while (answer := upload(http, f"Full {len(made)}")).status_code == 200:
            made.append(answer.json()["id"])
            assert len(made) < 10
        assert away(answer)
        assert made
        assert speak(http).status_code == 200
        for voice in made:
            heard = http.get(f"/api/voices/{voice}/versions/1/recording")
            assert heard.content[:4] == b"RIFF"
        assert http.delete(f"/api/voices/{made[0]}").json()["finished_at"]
        again = upload(http, "Room").json()["id"]
        for voice in (*made[1:], again):
            assert http.delete(f"/api/voices/{voice}").json()["finished_at"]
        inside = server.process.pid
        assert not list(Path(f"/proc/{inside}/root{media}").rglob("*.wav"))
