"""A stream in flight holds no thread: the API's requests share the gate's few."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

STREAMS = 12
SPEECH = {"model": "tts-1", "voice": "alloy", "response_format": "pcm", "input": "word " * 600}


def threads(server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def test_a_stream_in_flight_holds_no_thread(server, issued):
    with server.http(issued["keys"]["good"]) as http, ExitStack() as streams:
        for _ in range(STREAMS):
            streams.enter_context(http.stream("POST", "/v1/audio/speech", json=SPEECH))
        first = threads(server)
        for _ in range(STREAMS):
            answer = streams.enter_context(http.stream("POST", "/v1/audio/speech", json=SPEECH))
            assert answer.status_code == 200
        # A gate thread or two may start in between; one for each stream would be twelve.
        assert threads(server) - first < STREAMS / 2


def test_probes_need_nothing_of_browsers(server):
    for path in ("/livez", "/readyz", "/health"):
        answer = server.get(path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert "content-security-policy" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"
