"""The thirteen names on VoxCPM: thirteen voices, made once by whichever server is asked first, and
the same for ever after.

The models are tiny and random, in the true file format; everything else is as people run it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing

import pytest

from tests.contract.test_voxcpm import ANY_SOUND, NAMES, PATCHES, SMALL, eventually, samples
from tests.live import LiveServer, manage
from voices.presets import PRESETS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


KINDS = ["voxcpm", "voxcpm2"] if os.environ.get("SOAK") == "1" else ["voxcpm2"]


@pytest.fixture(scope="module", params=KINDS)
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def environment(architecture, tmp_path_factory):
    from tests.engine.voxcpm.checkpoints import build_tiny

    folder = tmp_path_factory.mktemp("models") / architecture
    checkpoint = build_tiny(folder, architecture)
    return {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(checkpoint), **SMALL, **ANY_SOUND}


@pytest.fixture(autouse=True)
def nobody_has_asked(data_dir, architecture):
    """Other tests of the contract may have, on the same data."""
    with closing(sqlite3.connect(data_dir / "voxplatform.sqlite3")) as database, database:
        database.execute("DELETE FROM voices_builtintake WHERE model = ?", [NAMES[architecture]])


def serve(data_dir, environment):
    return LiveServer(data_dir, environment, start_seconds=150)


def takes(data_dir, architecture):
    with closing(sqlite3.connect(data_dir / "voxplatform.sqlite3")) as database:
        query = "SELECT preset, sha256, object_key FROM voices_builtintake WHERE model = ?"
        return database.execute(f"{query} ORDER BY preset", [NAMES[architecture]]).fetchall()


def all_made(data_dir, architecture, seconds=300):
    deadline = time.monotonic() + seconds
    while len(found := takes(data_dir, architecture)) < 13 or not all(sha for _, sha, _ in found):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found


def speak(server, key, architecture, voice):
    body = {
        "model": NAMES[architecture], "input": "Hello there, my friend.", "voice": voice,
        "response_format": "wav", "max_new_tokens": PATCHES, "seed": 7,
    }  # fmt: skip
    with server.http(key) as http:
        return http.post("/v1/audio/speech", json=body, timeout=180)


def test_thirteen_voices_are_made_once_and_stay_the_same(
    data_dir, live_key, environment, architecture
):
    """One server begins it and gives up waiting soon; the other, asked next, waits for it. The
    rest both would make, and one of them makes each."""
    patient, impatient = ({**environment, "QUEUE_SECONDS": wait} for wait in ("150", "0.02"))
    with serve(data_dir, patient) as one, serve(data_dir, impatient) as other:
        early = speak(other, live_key, architecture, "alloy")
        samples(speak(one, live_key, architecture, "alloy"))
        assert (early.status_code, early.json()["error"]["code"]) == (503, "engine_unavailable")
        assert "being made" in early.json()["error"]["message"]
        assert int(early.headers["retry-after"]) >= 1
        made = all_made(data_dir, architecture)
        assert len({sha for _, sha, _ in made}) == len(PRESETS) == 13
        # Each is written down a moment after its row is.
        eventually(lambda: (one.log + other.log).count("built_in_voice_made") >= 13)
        heard = samples(speak(one, live_key, architecture, "alloy"))[0]
        assert (samples(speak(one, live_key, architecture, "onyx"))[0].tobytes()) != heard.tobytes()
    log = one.log + other.log
    assert log.count("built_in_voice_made") == 13, "two processes make each once"
    with serve(data_dir, environment) as again:
        assert takes(data_dir, architecture) == made
        assert (samples(speak(again, live_key, architecture, "alloy"))[0] == heard).all()
        assert "built_in_voice_made" not in again.log
        said = manage(data_dir, "bakevoices", timeout=300, **environment)
        assert "All 13 built-in voices" in said


def test_a_command_makes_them_all_ahead(data_dir, environment, architecture):
    said = manage(data_dir, "bakevoices", timeout=300, **environment)
    assert "All 13 built-in voices" in said
    assert len({sha for _, sha, _ in takes(data_dir, architecture)}) == 13
