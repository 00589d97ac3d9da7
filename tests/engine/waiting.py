"""Waiting for something to become true, with an end."""

from __future__ import annotations

import time


def eventually(condition, seconds=10.0):
    """Poll until ``condition()`` holds; how long it took. Fails after ``seconds``."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "It did not come true in time."
        time.sleep(0.005)
    return time.monotonic() - started
