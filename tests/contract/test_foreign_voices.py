"""Whoever asks for speech in a stranger's private voice, by id or by name and at whatever face, is
answered as if there were none: the same words, as soon."""

from __future__ import annotations

import time

import pytest

from tests.contract.mcp_client import Bare, speak
from tests.contract.test_native_voices import NOWHERE
from tests.contract.test_voices import WORD
from tests.voices.recordings import clip

SAY = {"input": "Good evening."}
SPOKEN = {"input": "[voice: Anna]\nGood evening."}
NAME = "Nobody else's voice"
FACES = {
    "openai": ("/v1/audio/speech", lambda voice: SAY | {"model": "tts-1", "voice": voice}),
    "object": ("/v1/audio/speech", lambda voice: SAY | {"model": "tts-1", "voice": {"id": voice}}),
    "native": ("/api/speech", lambda voice: SAY | {"voice": voice}),
    "events": ("/api/speech", lambda voice: SAY | {"voice": voice, "stream_format": "sse"}),
    "job": ("/api/jobs", lambda voice: SAY | {"voice": voice}),
    "speaker": ("/api/jobs", lambda voice: SPOKEN | {"speakers": {"Anna": voice}}),
    "called so": ("/api/jobs", lambda voice: {"input": f"[voice: {voice}]\nGood evening."}),
    "chapter": ("/api/jobs", lambda voice: SAY | {"chapter_voices": {"0": voice}}),
    "mcp": ("/mcp", lambda voice: speak("Good evening.", voice=voice)),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def foreign(server, keys):
    with server.http(keys["good"]) as http:
        made = http.post(
            "/api/voices", data={"name": NAME, "consent": WORD}, files={"audio_sample": clip("wav")}
        ).json()
        yield made["id"]
        http.delete(f"/api/voices/{made['id']}")


@pytest.fixture(scope="module")
def stranger(server, keys):
    with Bare(server, keys["stranger"]) as stranger:
        stranger.initialize()
        yield stranger.http


@pytest.mark.parametrize("face", FACES)
def test_it_is_answered_as_what_is_not_there(stranger, foreign, face):
    url, body = FACES[face]
    wanted = [foreign, NAME, NAME.upper(), NOWHERE["voice"], "Somebody else's"]
    times = {voice: [] for voice in wanted}
    answers = set()
    for turn in range(40):
        for voice in wanted:
            began = time.perf_counter()
            answer = stranger.post(url, json=body(voice))
            times[voice].append(time.perf_counter() - began)
            answers.add((answer.status_code, answer.text))
        quickest = [min(taken) for taken in times.values()]
        # What else the machine does passes: the quickest of more turns tells of us alone.
        if turn >= 7 and max(quickest) - min(quickest) < max(0.01, min(quickest)):
            break
    assert len(answers) == 1
    status, text = answers.pop()
    assert "unknown_voice" in text
    assert status == (200 if face == "mcp" else 400)
    assert max(quickest) - min(quickest) < max(0.01, min(quickest)), times
