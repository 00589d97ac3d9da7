"""Engines by name. Importing this needs none of them: torch and espeak-ng load only when chosen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from speech.engine.base import Engine

ENGINES = {
    "espeak": "speech.engine.espeak.EspeakEngine",
    "tone": "speech.engine.tone.ToneEngine",
    "voxcpm": "speech.engine.voxcpm.engine.VoxCPMEngine",
}


def create_engine(name: str, config: Mapping[str, Any] | None = None) -> Engine:
    """Make the engine called ``name``, not started. ``config`` holds its constructor's keywords.

    Raises ValueError for an unknown name and names the known ones.
    """
    if name not in ENGINES:
        raise ValueError(f"There is no engine {name!r}; there are {', '.join(sorted(ENGINES))}.")
    module, _, attribute = ENGINES[name].rpartition(".")
    engine: Engine = getattr(import_module(module), attribute)(**(config or {}))
    return engine
