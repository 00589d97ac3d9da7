"""The process-wide engine: chosen by the settings, started once, asked for by everybody.

``auto`` speaks with VoxCPM when a checkpoint is on disk and otherwise with espeak-ng, and says so.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog
from django.conf import settings

from speech.engine.base import Engine
from speech.engine.errors import EngineUnavailable
from speech.engine.hosts.process import ProcessHost
from speech.engine.hosts.supervisor import Limits
from speech.engine.types import EngineInfo, EngineState, EngineStats

log = structlog.get_logger("speech.runtime")
FALLBACK_NOTICE = (
    "There are no VoxCPM weights on this machine: speaking with espeak-ng, which cannot clone "
    "or design voices."
)
NO_VOXCPM = "SPEECH_ENGINE=voxcpm, but there are no VoxCPM weights on this machine."


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine speaks, and what people should know about that choice."""

    name: str | None
    notice: str = ""


def choose(setting: str) -> Choice:
    """Turn ``SPEECH_ENGINE`` into an engine's name. ``voxcpm`` never falls back."""
    if setting == "auto":
        return Choice("espeak", FALLBACK_NOTICE)
    if setting == "voxcpm":
        return Choice(None, NO_VOXCPM)
    return Choice(setting)


class Runtime:
    """Holds the engine between ``start`` and ``stop``; usable from any thread."""

    def __init__(self, choice: Choice) -> None:
        self.notice = choice.notice
        self._name = choice.name
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the engine in its child process; the model loads in the background."""
        with self._lock:
            if self._engine is None and self._name is not None:
                if self.notice:
                    log.warning("engine_fallback", notice=self.notice)
                self._engine = ProcessHost(
                    self._name,
                    {"queue_seconds": settings.QUEUE_SECONDS, **settings.ENGINE_CONFIG},
                    limits=Limits(step=settings.ENGINE_STEP_SECONDS, parked=settings.STALL_SECONDS),
                )
                self._engine.start()

    def stop(self) -> None:
        """Stop the engine; streams that still run end with EngineUnavailable."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()

    @property
    def engine(self) -> Engine:
        """The running engine. Raises EngineUnavailable when there is none."""
        if self._engine is None:
            raise EngineUnavailable(self.notice or "The engine is not started.")
        return self._engine

    def known_info(self) -> EngineInfo | None:
        """What the engine is, or None while that is not known."""
        try:
            return self.engine.info
        except EngineUnavailable:
            return None

    def stats(self) -> EngineStats:
        """The engine's state, also when there is no engine at all."""
        if self._engine is None:
            return EngineStats(EngineState.STOPPED, self.notice or "The engine is not started.")
        return self._engine.stats()


runtime = Runtime(choose(settings.SPEECH_ENGINE))
