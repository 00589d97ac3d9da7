"""A server that is killed in the middle of answers, again and again."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time

import httpx
import pytest

from tests.faults.invariants import Trace
from tests.live import LiveServer

LONG = "This sentence is one of many. " * 40
KILLS = 50 if os.environ.get("SOAK") == "1" else 5  # one at each moment
LISTENERS = 3
SWEPT_SECONDS = 60


def received_of(server, key):
    """Ask for speech and give back a function that reads what still comes."""
    opened = contextlib.ExitStack()
    http = opened.enter_context(server.http(key))
    fields = {"model": "tts-1", "input": LONG, "response_format": "pcm"}
    answer = opened.enter_context(http.stream("POST", "/v1/audio/speech", json=fields))
    pieces = answer.iter_raw()
    next(pieces)

    def rest():
        with opened:
            return b"".join(pieces)

    return rest


def reservations(data_dir):
    trace = Trace.of(data_dir)
    return trace.reserved_characters + trace.reserved_ms + trace.open_streams


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_loses_no_row_charges_nothing_and_gives_every_reservation_back(data_dir, live_key):
    rows = Trace.of(data_dir).usage_rows
    for round_ in range(KILLS):
        with LiveServer(data_dir, {"ENGINE_CONFIG": '{"speed": 1.0}'}) as server:
            listening = [received_of(server, live_key) for _ in range(LISTENERS)]
            time.sleep(0.1 * (round_ % 5))
            server.process.kill()
            server.process.wait()
            for rest in listening:
                with pytest.raises(httpx.TransportError):
                    rest()
    with LiveServer(data_dir) as server, server.http(live_key) as http:
        begin = time.monotonic()
        while reservations(data_dir):
            assert time.monotonic() - begin < SWEPT_SECONDS
            time.sleep(0.2)
        fields = {"model": "tts-1", "input": "All is well.", "response_format": "wav"}
        assert http.post("/v1/audio/speech", json=fields).status_code == 200
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        killed = database.execute(
            "SELECT outcome, sum(characters_charged), count(*) FROM speech_usagerecord"
            " WHERE characters = ? GROUP BY outcome",
            [len(LONG)],
        ).fetchall()
    assert killed == [("server_failed", 0, KILLS * LISTENERS)]
    assert Trace.of(data_dir).usage_rows == rows + KILLS * LISTENERS + 1
