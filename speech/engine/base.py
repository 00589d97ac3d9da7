"""The engine's interface: everything the rest of the platform may do with a model.

Hosts implement it too, so nothing above knows in which process the model lives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from speech.engine.stream import Stream
from speech.engine.types import EngineInfo, EngineStats, Utterance


class Engine(ABC):
    """Turns utterances into streams; owns its model."""

    step_started: float | None = None
    """When the step in progress began (``time.monotonic``); None between steps. A host that sees
    it stand still for too long knows that the engine hangs."""

    @property
    @abstractmethod
    def info(self) -> EngineInfo:
        """What this engine is. Known before the model is loaded.

        Raises EngineUnavailable when even that could not be found out.
        """

    @abstractmethod
    def start(self) -> None:
        """Begin to load the model and to accept utterances; returns before the load ends."""

    @abstractmethod
    def stop(self) -> None:
        """End every stream with EngineUnavailable and give all memory back. Idempotent."""

    @abstractmethod
    def load(self) -> None:
        """Load the model again after ``unload``; returns before the load ends."""

    @abstractmethod
    def unload(self) -> None:
        """Give the model's memory back. Raises EngineBusy while work is in flight."""

    @abstractmethod
    def check(self, utterance: Utterance) -> None:
        """Admission, read-only. Raises InvalidUtterance, UnsupportedByEngine, EngineBusy or
        EngineUnavailable; while the model loads an utterance is admitted and waits."""

    @abstractmethod
    def submit(self, utterance: Utterance) -> Stream:
        """Accept an utterance. Never refuses: what goes wrong later ends the stream."""

    def forget(self, voice: str) -> None:  # noqa: B027 - most engines keep nothing
        """Keep nothing of voice prompts whose key is ``voice``, or begins so before a colon. Never
        waits; who speaks with one goes on. An engine that keeps nothing has nothing to do."""

    @abstractmethod
    def stats(self) -> EngineStats:
        """The state now. Never waits for the engine."""
