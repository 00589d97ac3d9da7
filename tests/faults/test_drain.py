"""A drain that runs out of time: what is cut is our failure, and free."""

from __future__ import annotations

import signal
import sqlite3

import httpx
import pytest

from tests.faults.invariants import Trace
from tests.live import LiveServer

TEXT = "This sentence is one of many. " * 40


@pytest.mark.slow
def test_a_stream_that_outlasts_the_drain_is_broken_off_and_free(data_dir, live_key):
    environment = {"ENGINE_CONFIG": '{"speed": 1.0}', "DRAIN_SECONDS": "1"}
    body = {"model": "tts-1", "input": TEXT, "response_format": "mp3"}
    with LiveServer(data_dir, environment) as server, server.http(live_key) as http:
        with http.stream("POST", "/v1/audio/speech", json=body) as answer:
            pieces = answer.iter_raw()
            assert next(pieces)
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx.TransportError):
                list(pieces)
        assert server.process.wait(15) == 0
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        columns = "outcome, error_code, characters_charged, ms_charged"
        rows = database.execute(f"SELECT {columns} FROM speech_usagerecord").fetchall()
    assert rows == [("server_failed", "engine_unavailable", 0, 0)]
    left = Trace.of(data_dir)
    assert (left.used_characters, left.reserved_characters, left.open_streams) == (0, 0, 0)
    assert "closed after the ledger" not in server.log
