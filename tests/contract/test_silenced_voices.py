"""A voice that nobody may speak with any more, wherever that was decided: what another process is
saying with it ends within ten seconds, and nothing else is said with it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from tests.contract.test_access import SPEECH
from tests.contract.test_voices import WORD
from tests.voices.recordings import clip

LONG = {"model": "tts-1", "input": "On and on. " * 350, "response_format": "pcm", "speed": 0.25}


def withdraw(http, voice, data_dir):
    assert http.delete(f"/v1/audio/voice_consents/{voice['consent']}").status_code == 200


def erase(http, voice, data_dir):
    assert http.delete(f"/api/voices/{voice['id']}").status_code == 200


def let_expire(http, voice, data_dir):
    """As if it had been said to end now; nobody does anything."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    with closing(sqlite3.connect(data_dir / "voxplatform.sqlite3", timeout=10)) as rows, rows:
        sql = "UPDATE voices_voiceconsent SET expires_at = ? WHERE public_id = ?"
        assert rows.execute(sql, (now, voice["consent"])).rowcount == 1


@pytest.fixture
def elsewhere(server, keys):
    with server.http(keys["good"]) as http:
        yield http


@pytest.fixture
def speaking(voice_server, keys):
    with voice_server.http(keys["good"]) as http:
        yield http


@pytest.mark.slow
@pytest.mark.parametrize("end", [withdraw, erase, let_expire])
def test_it_falls_silent_in_every_process(elsewhere, speaking, data_dir, end):
    """One server is asked to end it while another speaks."""
    voice = elsewhere.post(
        "/api/voices",
        data={"name": "Silenced", "consent": WORD},
        files={"audio_sample": clip("wav")},
    ).json()
    body = LONG | {"voice": voice["id"]}
    with (
        pytest.raises(httpx.TransportError),
        speaking.stream("POST", SPEECH, json=body, timeout=30) as speech,
    ):
        pieces = speech.iter_raw(4096)
        assert next(pieces)
        end(elsewhere, voice, data_dir)
        ended = time.monotonic()
        for _ in pieces:
            time.sleep(0.02)  # as somebody who listens
            assert time.monotonic() < ended + 10
    for http in (elsewhere, speaking):
        assert http.post(SPEECH, json=body).status_code in (400, 403)
    elsewhere.delete(f"/api/voices/{voice['id']}")
