"""The disk of the database is full, before a live server: what would be written is refused and
nothing of it is there, what is read is read, and when there is room it goes on by itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.test_voices import WORD
from tests.live import LiveServer
from tests.voices.recordings import clip

pytestmark = pytest.mark.slow
# A disk of its own for the database, which the server takes along.
OWN_DISK = """
mount -t tmpfs -o size=6m none "$1" && cp "$2" "$1/" || exit 77
shift 2
exec "$@"
"""
CLONES = {"ENGINE_CONFIG": json.dumps({"also": ["clone"]}), "VOICE_CHECKS": "report"}


@pytest.fixture
def disk(data_dir, live_key, tmp_path):
    """``live_key`` is there before the data is copied."""
    place = shutil.copytree(data_dir, tmp_path / "data")
    disk = tmp_path / "disk"
    disk.mkdir()
    database, copied = place / "voxplatform.sqlite3", tmp_path / "voxplatform.sqlite3"
    database.rename(copied)
    database.symlink_to(disk / copied.name)
    before = ("unshare", "-rm", "sh", "-c", OWN_DISK, "sh", str(disk), str(copied))
    if subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("this machine lets no test mount a disk")
    with LiveServer(place, CLONES, before=before) as server, server.http(live_key) as http:
        yield http, Path(f"/proc/{server.process.pid}/root{disk}/filler"), place / "media"


def upload(http, name):
    return http.post(
        "/v1/audio/voices",
        data={"name": name, "consent": WORD},
        files={"audio_sample": clip("wav")},
    )


def fill(filler):
    with filler.open("ab", buffering=0) as file:
        for size in (65_536, 4096):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue


def test_nothing_is_half_there_and_it_goes_on_when_there_is_room(disk):
    http, filler, media = disk
    voice = upload(http, "Before").json()["id"]
    fill(filler)
    made, refused = [], None
    while refused is None:
        answer = upload(http, f"Meanwhile {len(made)}")
        if answer.status_code == 200:  # the log has room of its own
            made.append(answer.json()["id"])
            assert len(made) < 100
        else:
            refused = answer
        fill(filler)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "database_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    listed = {one["id"] for one in http.get("/api/voices?owner=own").json()["data"]}
    assert listed == {voice, *made}
    assert http.get(f"/api/voices/{voice}/versions/1/recording").content[:4] == b"RIFF"
    erased = http.delete(f"/api/voices/{voice}").status_code
    assert erased in (200, 503)
    assert http.get(f"/api/voices/{voice}").status_code == (404 if erased == 200 else 200)
    filler.unlink()
    again = upload(http, "After").json()["id"]
    for one in {voice, *made, again} - ({voice} if erased == 200 else set()):
        assert http.delete(f"/api/voices/{one}").json()["finished_at"]
    assert not list(media.rglob("recordings/**/*.wav"))
