"""Engines on the batched loop, with a runner that has no model."""

from __future__ import annotations

import pytest

from speech.engine.types import EngineState
from tests.engine.patches import PatchEngine, Runner
from tests.engine.waiting import eventually


@pytest.fixture
def start():
    engines = []

    def start(runner=None, ready=True, **options):
        engine = PatchEngine(runner or Runner(), **options)
        engines.append(engine)
        engine.start()
        if ready:
            eventually(lambda: engine.stats().state is EngineState.READY)
        return engine

    yield start
    for engine in engines:
        engine.stop()
