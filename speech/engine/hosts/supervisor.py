"""Keeps one child alive: starts it, watches it, kills it when it hangs, and starts it again.

One thread does all of it and also carries the messages, so it can never take its own slowness for
the child's silence. Knows when a child must go, not what it speaks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speech.engine.errors import EngineUnavailable
from speech.engine.hosts.codec import ProtocolError
from speech.engine.hosts.generation import Generation
from speech.engine.hosts.protocol import Beat, Begin, pack
from speech.engine.types import EngineInfo, EngineState

# A child that lived this long has not crashed "again"; five that did not are a crash loop.
_STEADY_SECONDS = 12.0
_LOOP_CRASHES = 5
_FIRST_BACKOFF = 0.1
_LEAVE_SECONDS = 4.0
_STEPS_REMEMBERED = 1000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds.

    ``step`` is the floor of a step's deadline, which is ten times the 99.9th percentile of the
    steps seen. ``parked`` is how long audio may wait for a reader that takes none.
    """

    hello: float = 10.0
    heartbeat: float = 0.25
    silence: float = 10.0
    step: float = 20.0
    parked: float = 30.0
    backoff: float = 30.0


class StepWatch:
    """How long the engine's steps take, as seen from the beats, and how old the present one is."""

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._seen: deque[float] = deque(maxlen=_STEPS_REMEMBERED)
        self._started: float | None = None
        self._age = 0.0

    def overdue(self, beat: Beat) -> bool:
        """The step in progress is older than any step should be.

        Short steps fall between two beats; they could only lower the percentile, and the floor
        stands above them anyway. Of a thousand steps the 99.9th percentile is the longest.
        """
        if beat.step_started != self._started:
            if self._started is not None:
                self._seen.append(self._age)
            self._started = beat.step_started
        self._age = beat.now - self._started if self._started is not None else 0.0
        return self._age > max(self._floor, 10 * max(self._seen, default=0.0))


class Supervisor:
    """The life of one engine's children, one generation after the other.

    ``generation`` is the one that can be talked to, or None; then ``state`` and ``reason`` say
    why. ``info`` is kept from the last child that told it.
    """

    def __init__(self, engine: str, config: Mapping[str, Any], limits: Limits) -> None:
        self._engine = engine
        self._begin = pack(Begin(engine, dict(config), limits.heartbeat))
        self._limits = limits
        self._stopping = threading.Event()
        self._settled = threading.Event()
        self._thread: threading.Thread | None = None
        self._current: Generation | None = None
        self._next_start = 0.0
        self._crashes = 0
        self.generation: Generation | None = None
        self.info: EngineInfo | None = None
        self.load_seconds: float | None = None
        self.restarts = 0
        self.state = EngineState.STOPPED
        self.reason = "The engine is not started."

    def start(self) -> None:
        """Start the first child; returns when its engine is known or has failed to come up."""
        if self._thread:
            return
        self._stopping.clear()
        self._settled.clear()
        self.state, self.reason = EngineState.LOADING, "The engine is starting."
        self._thread = threading.Thread(target=self._run, name="engine-host", daemon=True)
        self._thread.start()
        self._settled.wait(self._limits.hello + 1)

    def stop(self) -> None:
        """Answer everybody and let the child leave. Idempotent."""
        self._stopping.set()
        if self._current:
            self._current.hang_up()
        if self._thread:
            self._thread.join()
            self._thread = None
        self.state, self.reason = EngineState.STOPPED, "The engine is stopped."

    def unavailable(self) -> EngineUnavailable:
        """Why there is nobody to talk to, and when to ask again."""
        wait = max(0.0, self._next_start - time.monotonic()) + (self.load_seconds or 1.0)
        return EngineUnavailable(self.reason, min(max(1.0, wait), 60.0))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._current = generation = Generation(self._begin)
            except OSError as error:
                log.error("No process could be started for the engine: %s", error)
                self._rest(self._backoff(0.0), "The engine's process could not be started.")
                continue
            log.info("The engine %r runs in process %d.", self._engine, generation.pid)
            reason, hung = self._watch(generation)
            self._end(generation, reason, hung)

    def _watch(self, generation: Generation) -> tuple[str, bool]:
        """Carry messages until this child must go; why, and whether it hangs."""
        steps = StepWatch(self._limits.step)
        tick = min(self._limits.heartbeat, self._limits.silence / 4)
        looked = 0.0
        while not self._stopping.is_set():
            try:
                generation.turn(tick)
            except EOFError:
                return self._last_words(generation), False
            except ProtocolError as error:
                log.error("The engine's process sent nonsense: %s", error)
                return "The engine's process broke down.", False
            self._greet(generation)
            if time.monotonic() - looked >= tick:
                looked = time.monotonic()
                generation.drop_parked(self._limits.parked)
                if reason := self._failed(generation):
                    return reason, False
                if reason := self._hangs(generation, steps):
                    return reason, True
        return "The engine is stopped.", False

    def _greet(self, generation: Generation) -> None:
        if generation.info and self.generation is None:
            self.info, self.generation = generation.info, generation
            self._settled.set()

    def _last_words(self, generation: Generation) -> str:
        if self._stopping.is_set():
            return "The engine is stopped."
        if generation.refusal:
            return generation.refusal.message
        return "The engine's process ended."

    def _failed(self, generation: Generation) -> str:
        """The engine itself says that it cannot go on: only a new process helps."""
        beat = generation.beat
        if not beat:
            return ""
        self.load_seconds = beat.stats.load_seconds or self.load_seconds
        if beat.stats.state is not EngineState.FAILED:
            return ""
        return beat.stats.reason or "The engine has failed."

    def _hangs(self, generation: Generation, steps: StepWatch) -> str:
        now = time.monotonic()
        if generation.info is None:
            late = now - generation.spawned > self._limits.hello
            return "The engine did not come up in time." if late else ""
        if now - generation.heard > self._limits.silence:
            return "The engine's process has fallen silent."
        if generation.beat and steps.overdue(generation.beat):
            return "A step of the engine took too long."
        return ""

    def _end(self, generation: Generation, reason: str, hung: bool) -> None:
        """Answer the waiters first, then look into the child, then end it and wait."""
        self.generation, self.reason = None, reason
        stopping = self._stopping.is_set()
        delay = 0.0 if stopping else self._backoff(time.monotonic() - generation.spawned)
        answered = generation.close(reason, max(1.0, delay + (self.load_seconds or 0.0)))
        if hung:
            generation.dump_stacks()
        code = generation.bury(0.0 if hung else _LEAVE_SECONDS)
        self._current = None
        if not stopping:
            log.error("%s It ended %d streams.", reason, answered)
            log.error("Process %d left with code %d.", generation.pid, code)
            self._rest(delay, reason)

    def _rest(self, delay: float, reason: str) -> None:
        """Nobody speaks for so long; whoever asks hears why."""
        self.reason = reason
        self._next_start = time.monotonic() + delay
        self._settled.set()
        log.warning("The engine starts again in %.1f s.", delay)
        self._stopping.wait(delay)
        self.restarts += 1

    def _backoff(self, lived: float) -> float:
        """Seconds until the next child, from how often in a row one did not last."""
        self._crashes = 1 if lived > _STEADY_SECONDS else self._crashes + 1
        looping = self._crashes >= _LOOP_CRASHES
        self.state = EngineState.FAILED if looping else EngineState.LOADING
        if looping:
            return self._limits.backoff
        return min(_FIRST_BACKOFF * 2.0 ** (self._crashes - 1), self._limits.backoff)
