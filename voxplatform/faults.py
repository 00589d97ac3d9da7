"""Fault switches for tests: a file that appears is sent to the tone engine, then removed.

Started by ``serve --faults FILE`` alone, and only the tone engine has switches: nothing a client
sends can reach them.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from pathlib import Path

from speech.engine.errors import EngineUnavailable
from speech.engine.faults import Faults
from speech.engine.hosts.process import ProcessHost
from speech.runtime import runtime

POLL_SECONDS = 0.02


def watch(file: Path) -> None:
    """Apply each file that appears; its removal tells the test that the switches are set."""
    threading.Thread(target=_poll, args=(file,), name="faults", daemon=True).start()


def _poll(file: Path) -> None:
    while True:
        if file.exists():
            # A child that a fault has just killed takes its switches when it is back.
            with suppress(EngineUnavailable):
                engine = runtime.engine
                if isinstance(engine, ProcessHost):
                    engine.set_faults(Faults(**json.loads(file.read_text())))
                file.unlink()
        time.sleep(POLL_SECONDS)
