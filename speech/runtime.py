"""The process-wide engine: chosen by the settings, started once, asked for by everybody.

``auto`` speaks with VoxCPM when a checkpoint is on disk and otherwise with espeak-ng, and says so.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings

from speech.engine.base import Engine
from speech.engine.errors import EngineUnavailable
from speech.engine.hosts.process import ProcessHost
from speech.engine.hosts.supervisor import Limits
from speech.engine.types import EngineInfo, EngineState, EngineStats
from speech.engine.voxcpm.checkpoint import CheckpointError, find_checkpoint

log = structlog.get_logger("speech.runtime")
FALLBACK_NOTICE = (
    "There are no VoxCPM weights on this machine: speaking with espeak-ng, which cannot clone "
    "or design voices."
)
NO_VOXCPM = "SPEECH_ENGINE=voxcpm, but there are no VoxCPM weights on this machine."
NOT_STARTED = "The engine is not started."
NO_SUCH_MODEL = "SPEECH_MODEL names a checkpoint that is not on this machine."


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine speaks, and what people should know about that choice."""

    name: str | None
    notice: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def choose(setting: str) -> Choice:
    """Turn ``SPEECH_ENGINE`` into an engine's name. ``voxcpm`` never falls back."""
    if setting not in ("auto", "voxcpm"):
        return Choice(setting)
    try:
        model = find_checkpoint(settings.MODELS_DIR, settings.SPEECH_MODEL)
    except CheckpointError as error:
        log.error("engine_model_missing", reason=str(error))
        return Choice(None, NO_SUCH_MODEL)
    if model is not None:
        return Choice("voxcpm", config={"model": str(model), **settings.VOXCPM_CONFIG})
    return Choice("espeak", FALLBACK_NOTICE) if setting == "auto" else Choice(None, NO_VOXCPM)


class Runtime:
    """Holds the engine between ``start`` and ``stop``; usable from any thread."""

    def __init__(self, setting: str) -> None:
        self._chosen = ""
        self._setting = setting
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the engine in its child process; the model loads in the background."""
        with self._lock:
            if self._engine is None:
                choice = choose(self._setting)
                self._chosen = choice.notice
                if choice.notice:
                    log.warning("engine_notice", notice=choice.notice)
                if choice.name is None:
                    return
                self._engine = ProcessHost(
                    choice.name,
                    {
                        "queue_seconds": settings.QUEUE_SECONDS,
                        "idle_seconds": settings.ENGINE_IDLE_SECONDS,
                        **choice.config,
                        **settings.ENGINE_CONFIG,
                    },
                    limits=Limits(step=settings.ENGINE_STEP_SECONDS, parked=settings.STALL_SECONDS),
                )
                self._engine.start()

    def stop(self) -> None:
        """Stop the engine; streams that still run end with EngineUnavailable."""
        with self._lock:
            engine, self._engine = self._engine, None
            self._chosen = ""
        if engine is not None:
            engine.stop()

    def restart(self) -> None:
        """Stop the engine and start another; streams that run end with EngineUnavailable."""
        self.stop()
        self.start()

    @property
    def engine(self) -> Engine:
        """The running engine. Raises EngineUnavailable when there is none."""
        if self._engine is None:
            raise EngineUnavailable(self._chosen or NOT_STARTED)
        return self._engine

    @property
    def notice(self) -> str:
        """What people should know about the choice of engine, and about how it runs."""
        engine = self._engine
        return " ".join(filter(None, (self._chosen, engine.stats().notice if engine else "")))

    def forget(self, voice: str) -> None:
        """Have the engine keep nothing of this voice; see ``Engine.forget``."""
        if self._engine is not None:
            self._engine.forget(voice)

    def known_info(self) -> EngineInfo | None:
        """What the engine is, or None while that is not known."""
        try:
            return self.engine.info
        except EngineUnavailable:
            return None

    def stats(self) -> EngineStats:
        """The engine's state, also when there is no engine at all."""
        if self._engine is None:
            return EngineStats(EngineState.STOPPED, self._chosen or NOT_STARTED)
        return self._engine.stats()


runtime = Runtime(settings.SPEECH_ENGINE)
