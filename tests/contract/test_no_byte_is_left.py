"""Of a voice that was made, spoken with, shared, recorded anew and erased no byte is left: not in
the storage, the database and a dump of it, temporary files, what Redis was told, or a log."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from tests.choosing import REDIS
from tests.contract.test_access import SPEECH
from tests.contract.test_jobs import ended
from tests.live import LiveServer
from tests.voices.recordings import noise, spoken, wav

pytestmark = pytest.mark.slow
SECRET = "Xanthippe"
WORDS = f"{SECRET} says what nobody else says, in a voice of her own."
AGREED = f"{SECRET} has agreed to a copy of her voice, and she lives next door."


@pytest.fixture
def temporary(tmp_path):
    return tmp_path


@pytest.fixture
def through_redis(temporary):
    """Whatever is said to Redis stands among the temporary files."""
    monitor = ["redis-cli", "-u", REDIS, "monitor"]
    with (
        (temporary / "redis").open("wb") as said,
        subprocess.Popen(monitor, stdout=said) as listener,
    ):
        yield {"REDIS_URL": REDIS}
        listener.terminate()
    assert b"job_" in (temporary / "redis").read_bytes()


@pytest.fixture(params=["alone", pytest.param("redis", marks=pytest.mark.redis)])
def server(request, data_dir, temporary):
    config = json.dumps({"speed": 50, "also": ["clone"]})
    environment = {"ENGINE_CONFIG": config, "TMPDIR": str(temporary)}
    if request.param == "redis":
        environment |= request.getfixturevalue("through_redis")
    with LiveServer(data_dir, environment) as server:
        yield server


def recording(seed):
    sound = spoken(WORDS)
    return wav(sound + noise(len(sound) / 22_050, 0.002, seed=seed)[: len(sound)])


def found(needle, *places):
    return [
        path
        for place in places
        for path in place.rglob("*")
        if path.is_file() and needle in path.read_bytes()
    ]


def dump(data_dir):
    with closing(sqlite3.connect(data_dir / "voxplatform.sqlite3")) as database:
        return "\n".join(database.iterdump())


def test_nothing_tells_of_it(server, keys, data_dir, temporary):
    with server.http(keys["good"]) as http:
        given = http.post(
            "/api/consents",
            data={"name": SECRET, "language": "en", "relationship": f"{SECRET} is my aunt"},
            files={"recording": recording(1)},
        ).json()
        form = {"name": SECRET, "description": f"{SECRET} herself", "transcript": WORDS}
        made = http.post(
            "/api/voices",
            data=form | {"consent": given["id"]},
            files={"audio_sample": recording(2)},
        ).json()
        url = f"/api/voices/{made['id']}"
        http.patch(url, json={"tags": [SECRET]})
        http.post(
            f"{url}/versions", files={"audio_sample": recording(3)}, data={"transcript": WORDS}
        )
        http.post(f"{url}/share", json={"accounts": ["strangers"]})
        for version in (1, 2):
            heard = http.get(f"{url}/versions/{version}/recording").content
            assert found(heard[20_000:20_400], data_dir)
        body = {"model": "tts-1", "input": "Good evening.", "voice": SECRET}
        assert http.post(SPEECH, json=body).status_code == 200
        assert http.post(f"{url}/preview").status_code == 200
        assert http.get(f"{url}/export").status_code == 200
        job = http.post("/api/jobs", json={"input": "Good night.", "voice": SECRET}).json()["id"]
        assert ended(http, job)["state"] == "completed"
        assert http.delete(f"/api/jobs/{job}").status_code == 200
        second = http.post(
            "/api/voices",
            data={"name": "Two", "consent": AGREED},
            files={"audio_sample": recording(4)},
        ).json()
        assert found(SECRET.encode(), data_dir)
        pieces = [
            http.get(f"/api/voices/{voice}/versions/{version}/recording").content[20_000:20_400]
            for voice, version in ((made["id"], 1), (made["id"], 2), (second["id"], 1))
        ]
        for voice in (made, second):
            shown = http.get(f"/api/voices/{voice['id']}").json()
            assert http.delete(f"/api/voices/{voice['id']}").json()["finished_at"]
            assert http.delete(f"/api/consents/{shown['consent']}").json()["deleted"]
        server.wait_until_ready()
        deadline = time.monotonic() + 20
        while left := found(SECRET.encode(), data_dir, temporary):
            assert time.monotonic() < deadline, left
            time.sleep(0.2)  # SQLite's log is emptied when nobody reads it
        for piece in pieces:
            assert found(piece, data_dir, temporary) == []
        assert SECRET not in dump(data_dir)
        assert SECRET not in server.log
        assert made["id"] in dump(data_dir)  # the receipt
