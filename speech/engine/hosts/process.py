"""ProcessHost: any engine in a supervised child process, behind the same interface.

The child hangs on a socket pair it inherits: there is no path and no port, and nobody else can
join. Nothing here waits for synthesis: health comes from the last beat, admission is answered by
the child's message loop. Knows nothing of HTTP or Django.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from speech.engine.base import Engine
from speech.engine.faults import Faults
from speech.engine.hosts import protocol
from speech.engine.hosts.flow import Budget
from speech.engine.hosts.generation import Generation
from speech.engine.hosts.supervisor import Limits, Supervisor
from speech.engine.stream import Stream
from speech.engine.types import EngineInfo, EngineStats, Utterance

_CHECK_SECONDS = 2.0
_SWITCH_SECONDS = 30.0
_WINDOW_SECONDS = 2.0
# What is made ahead is made in full, or else a long text is no sooner finished for it.
_AHEAD_SECONDS = 60.0
_BYTES_PER_SAMPLE = 4


class ProcessHost(Engine):
    """Carries the engine called ``name`` (see the registry), made with ``config``, a JSON object.

    ``window`` is the seconds of audio one stream may have on its way to its reader, and
    ``buffer_bytes`` the memory that all of them may take together; beyond it streams go on one
    chunk at a time. ``ahead_bytes`` is beside it for what is made ahead of its turn.
    """

    def __init__(
        self,
        name: str,
        config: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
        window: float = _WINDOW_SECONDS,
        buffer_bytes: int = 8 * 1024 * 1024,
        ahead_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self._supervisor = Supervisor(name, config or {}, limits or Limits())
        self._budget = Budget(buffer_bytes // _BYTES_PER_SAMPLE)
        self._ahead = Budget(ahead_bytes // _BYTES_PER_SAMPLE)
        self._window = window

    @property
    def info(self) -> EngineInfo:
        """What the child said of its engine, kept while it restarts."""
        if self._supervisor.info is None:
            raise self._supervisor.unavailable()
        return self._supervisor.info

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one to talk to."""
        generation = self._supervisor.generation
        return generation.pid if generation else None

    @property
    def buffered(self) -> int:
        """Samples that all streams together hold or may still be sent."""
        return self._budget.charged + self._ahead.charged

    def start(self) -> None:
        """Start the child; returns when its engine is known, or has failed to come up."""
        self._supervisor.start()

    def stop(self) -> None:
        """End every stream with EngineUnavailable and let the child leave. Idempotent."""
        self._supervisor.stop()

    def load(self) -> None:
        """Load the model again after ``unload``; returns before the load ends."""
        self._ask(protocol.Load, _SWITCH_SECONDS)

    def unload(self) -> None:
        """Give the model's memory back. Raises EngineBusy while work is in flight."""
        self._ask(protocol.Unload, _SWITCH_SECONDS)

    def check(self, utterance: Utterance) -> None:
        """Admission by the engine itself, in one round trip that waits for no synthesis."""
        self._ask(lambda id: protocol.Check(id, utterance), _CHECK_SECONDS)

    def set_faults(self, faults: Faults) -> None:
        """Turn the engine's fault switches; a child that restarts has none of them.

        Raises UnsupportedByEngine where the engine has no such switches.
        """
        self._ask(lambda id: protocol.SetFaults(id, faults), _CHECK_SECONDS)

    def submit(self, utterance: Utterance) -> Stream:
        """Accept an utterance; without a child its stream ends with EngineUnavailable."""
        generation = self._supervisor.generation
        if generation is None or generation.info is None:
            stream = Stream()
            stream.finish(self._supervisor.unavailable())
            return stream
        seconds = _AHEAD_SECONDS if utterance.ahead else self._window
        budget = self._ahead if utterance.ahead else self._budget
        return generation.speak(utterance, budget, int(seconds * generation.info.sample_rate))

    def forget(self, voice: str) -> None:
        """Have the child keep nothing of it, neither recordings nor what was made of them."""
        if generation := self._supervisor.generation:
            generation.forget(voice)

    def stats(self) -> EngineStats:
        """The state as of the last beat; never asks the child."""
        supervisor = self._supervisor
        generation = supervisor.generation
        if generation and generation.beat:
            return replace(generation.beat.stats, restarts=supervisor.restarts)
        return EngineStats(
            state=supervisor.state,
            reason=supervisor.reason,
            restarts=supervisor.restarts,
            load_seconds=supervisor.load_seconds,
        )

    def _ask(self, make: Callable[[int], protocol.ToChild], timeout: float) -> None:
        self._generation().ask(make, timeout)

    def _generation(self) -> Generation:
        generation = self._supervisor.generation
        if generation is None:
            raise self._supervisor.unavailable()
        return generation
