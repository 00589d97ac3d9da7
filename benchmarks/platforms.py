"""The server under measurement: `manage.py serve` with the tone engine, on a free port."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.client import Target
from tests.live import LiveServer, manage

SECONDS_PER_CHARACTER = 0.06
REAL_TIME = {"speed": 1.0, "seconds_per_character": SECONDS_PER_CHARACTER}
PATIENT = {"STALL_SECONDS": "120", "QUEUE_SECONDS": "60"}


@dataclass(frozen=True, slots=True)
class Platform:
    """A running server: where it is, and the processes it consists of."""

    target: Target
    server: int
    pids: list[int]


def prepare(data_dir: Path) -> str:
    """An empty platform's database; returns a key for it."""
    manage(data_dir, "migrate", "--verbosity", "0")
    return manage(data_dir, "createapikey", "benchmark").strip()


@contextmanager
def running(data_dir: Path, key: str, engine: dict[str, Any]) -> Iterator[Platform]:
    """Serve with a tone engine of this configuration."""
    environment = {"ENGINE_CONFIG": json.dumps(engine), **PATIENT}
    with LiveServer(data_dir, environment) as server:
        pid = server.process.pid
        yield Platform(Target(server.port, key), pid, machine.with_children(pid))


def text_of(seconds: float) -> str:
    """Words that the tone engine plays for so long, or a note longer."""
    characters = math.ceil(seconds / SECONDS_PER_CHARACTER) + 1
    return ("word " * characters)[: characters - 1] + "."
