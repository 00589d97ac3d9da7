"""A voice that nobody may speak with any more, wherever that was decided: what another process is
saying with it ends within ten seconds, and nothing else is said with it."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.contract.test_access import SPEECH
from tests.contract.test_voices import WORD
from tests.voices.recordings import clip

LONG = {"model": "tts-1", "input": "On and on. " * 350, "response_format": "pcm", "speed": 0.25}
ENDS = {
    "consent withdrawn": lambda http, voice: http.delete(
        f"/v1/audio/voice_consents/{voice['consent']}"
    ),
    "voice erased": lambda http, voice: http.delete(f"/api/voices/{voice['id']}"),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_falls_silent_in_every_process(server, voice_server, keys, end):
    """One server is asked to end it while another speaks."""
    with server.http(keys["good"]) as elsewhere, voice_server.http(keys["good"]) as speaking:
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
            assert ENDS[end](elsewhere, voice).status_code == 200
            ended = time.monotonic()
            for _ in pieces:
                time.sleep(0.02)  # as somebody who listens
                assert time.monotonic() < ended + 10
        for http in (elsewhere, speaking):
            assert http.post(SPEECH, json=body).status_code in (400, 403)
        elsewhere.delete(f"/api/voices/{voice['id']}")
