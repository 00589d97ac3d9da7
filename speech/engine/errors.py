"""What an engine may raise or end a stream with.

    EngineError
    ├── InvalidUtterance        the caller's fault: this cannot be said
    │   └── UnsupportedByEngine     another model could say it
    ├── EngineBusy              the queue is full
    ├── EngineUnavailable       no model to speak with right now: loading, restarting, stopped
    │   └── QueueTimeout            it waited in the queue for too long
    ├── ReaderStalled           nobody took the audio for too long; it was given up
    └── SynthesisFailed         the engine's fault, for this utterance alone

Messages are sentences for clients: no paths, no addresses, no class names. Details go to the log.
"""

from __future__ import annotations


class EngineError(Exception):
    """The root: anything an engine can answer instead of audio."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidUtterance(EngineError):
    """The utterance cannot be spoken by any engine; ``param`` names the request's field."""

    def __init__(self, message: str, param: str = "input") -> None:
        super().__init__(message)
        self.param = param


class UnsupportedByEngine(InvalidUtterance):
    """This engine cannot do what ``param`` asks for, though another model can."""


class EngineBusy(EngineError):
    """The queue is full; ``retry_after`` is in seconds, from the measured pace."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EngineUnavailable(EngineError):
    """There is nothing to speak with at the moment; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueueTimeout(EngineUnavailable):
    """It waited in the queue beyond its deadline."""


class ReaderStalled(EngineError):
    """The reader took nothing for so long that the engine gave its place to others."""


class SynthesisFailed(EngineError):
    """The engine failed at this utterance; others are not touched."""
