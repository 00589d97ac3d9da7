"""A long text with VoxCPM: many segments at once, and one voice for all of them where the voice is
nobody's. The model is tiny and random, in the true file format."""

from __future__ import annotations

import io
import sqlite3

import numpy as np
import pytest
import soundfile

from tests.contract.test_jobs import ended
from tests.contract.test_voxcpm import SMALL
from tests.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
TEXT = "\n\n".join(f"This is sentence number {number} of a text." for number in range(6))


@pytest.fixture(scope="module")
def server(data_dir, tmp_path_factory):
    from tests.engine.voxcpm.checkpoints import build_tiny

    checkpoint = build_tiny(tmp_path_factory.mktemp("models") / "voxcpm2", "voxcpm2")
    environment = {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(checkpoint), **SMALL}
    with LiveServer(data_dir, environment, start_seconds=200) as server:
        yield server


def samples(answer):
    """What was answered, in sixteen bits."""
    return soundfile.read(io.BytesIO(answer.content), dtype="int16")[0].astype(int)


def test_all_go_on_in_the_voice_of_the_first_and_the_same_seed_says_the_same(
    server, live_key, data_dir
):
    with server.http(live_key) as http:
        heard = []
        for _ in range(2):
            body = {"input": TEXT, "voice": "default", "seed": 5}
            job = ended(http, http.post("/api/jobs", json=body).json()["id"])
            assert job["state"] == "completed", job["progress"]
            url = f"/api/jobs/{job['id']}/segments"
            heard.append([samples(http.get(f"{url}/{number}/audio")) for number in range(6)])
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        takes = [takes for (takes,) in database.execute("SELECT takes FROM speech_job")]
    assert all('"default"' in take for take in takes)
    for one, other in zip(*heard, strict=True):
        # Who shares a step decides where the last digit falls, and so may sixteen bits.
        assert len(one) == len(other) and np.abs(one - other).max() <= 2
