"""What a host and its child say to each other: small messages in length-prefixed frames.

A frame is two little-endian uint32 (bytes after this header, bytes of JSON), the JSON
``[kind, fields]``, and the float32 samples the fields refer to. Nothing in it can run code.
Knows nothing of processes; a generation of the child is the pair of sockets it came with.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from speech.engine import errors
from speech.engine.errors import EngineError
from speech.engine.faults import Faults
from speech.engine.hosts.codec import ProtocolError, SampleReader, decode, encode
from speech.engine.types import (
    AudioChunk,
    EngineInfo,
    EngineStats,
    FinishReason,
    Utterance,
    VoicePrompt,
)

# Two recordings of half a minute at 192 kHz, and room to spare.
MAX_FRAME = 64 * 1024 * 1024

_HEADER = struct.Struct("<II")

_ERRORS: dict[str, type[EngineError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, EngineError)
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An EngineError as a value. What is not one becomes SynthesisFailed, without its text."""

    kind: str
    message: str
    param: str | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure that tells of ``error``, by the closest class the other side knows."""
        if not isinstance(error, EngineError):
            return cls("SynthesisFailed", "The engine failed at this utterance.")
        kind = next(base.__name__ for base in type(error).__mro__ if base.__name__ in _ERRORS)
        details = {name: getattr(error, name, None) for name in ("param", "retry_after")}
        return cls(kind, error.message, **details)

    def error(self) -> EngineError:
        """The error again, of the same class and with the same details."""
        details = {"param": self.param, "retry_after": self.retry_after}
        known = {name: value for name, value in details.items() if value is not None}
        return _ERRORS.get(self.kind, EngineError)(self.message, **known)


# To the child.


@dataclass(frozen=True, slots=True)
class Begin:
    """Make this engine and start it; answered by Hello. ``heartbeat`` is seconds between Beats."""

    engine: str
    config: dict[str, Any]
    heartbeat: float


@dataclass(frozen=True, slots=True)
class Keep:
    """From now on this voice is known by a number."""

    id: int
    voice: VoicePrompt


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody will name this voice again."""

    id: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The engine is to keep nothing of prompts of this voice."""

    voice: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Speak; ``credit`` is how many samples may be sent before a Grant allows more. ``voice`` is
    the number of the utterance's voice, where that has recordings."""

    id: int
    credit: int
    utterance: Utterance
    voice: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """So many more samples of this stream may be sent."""

    id: int
    samples: int


@dataclass(frozen=True, slots=True)
class Hurry:
    """The turn of a stream that was asked for ahead has come."""

    id: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody listens to this stream any more."""

    id: int


@dataclass(frozen=True, slots=True)
class Check:
    """Would the engine admit this? Answered by Answer, like the three after it; ``voice`` as in
    Submit."""

    id: int
    utterance: Utterance
    voice: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Load the model again."""

    id: int


@dataclass(frozen=True, slots=True)
class Unload:
    """Give the model's memory back."""

    id: int


@dataclass(frozen=True, slots=True)
class SetFaults:
    """Turn the engine's fault switches."""

    id: int
    faults: Faults


# To the host.


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine exists; its model need not be loaded yet."""

    info: EngineInfo


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine could not be made; the child leaves."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Beat:
    """The child lives. ``now`` and ``step_started`` are on the child's monotonic clock."""

    stats: EngineStats
    now: float
    step_started: float | None


@dataclass(frozen=True, slots=True)
class Audio:
    """The next chunk of a stream."""

    id: int
    chunk: AudioChunk
    seed: int | None


@dataclass(frozen=True, slots=True)
class Finish:
    """The stream is over: by ``reason``, or by ``failure``."""

    id: int
    reason: FinishReason | None
    seed: int | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a Check, Load, Unload or SetFaults."""

    id: int
    failure: Failure | None


ToChild = (
    Begin
    | Keep
    | Forget
    | Drop
    | Submit
    | Grant
    | Hurry
    | Cancel
    | Check
    | Load
    | Unload
    | SetFaults
)
ToHost = Hello | Refused | Beat | Audio | Finish | Answer
TO_CHILD: tuple[type, ...] = (
    Begin,
    Keep,
    Forget,
    Drop,
    Submit,
    Grant,
    Hurry,
    Cancel,
    Check,
    Load,
    Unload,
    SetFaults,
)
TO_HOST: tuple[type, ...] = (Hello, Refused, Beat, Audio, Finish, Answer)


def pack(message: ToChild | ToHost) -> bytes:
    """The frame that carries ``message``. Raises ValueError when it is over ``MAX_FRAME``."""
    arrays: list[bytes] = []
    header = json.dumps([type(message).__name__, encode(message, arrays)]).encode("ascii")
    size = len(header) + sum(map(len, arrays))
    if size > MAX_FRAME:
        raise ValueError("The message is too large for a frame.")
    return b"".join((_HEADER.pack(size, len(header)), header, *arrays))


class FrameBuffer:
    """Collects bytes as they come and gives back whole messages of the kinds it accepts."""

    def __init__(self, accepts: tuple[type, ...]) -> None:
        self._kinds = {kind.__name__: kind for kind in accepts}
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages ``data`` completes. Raises ProtocolError for anything else."""
        self._bytes += data
        while len(self._bytes) >= _HEADER.size:
            size, json_size = _HEADER.unpack_from(self._bytes)
            if not json_size <= size <= MAX_FRAME:
                raise ProtocolError("The frame's sizes are impossible.")
            end = _HEADER.size + size
            if len(self._bytes) < end:
                return
            body = memoryview(bytes(self._bytes[_HEADER.size : end]))
            del self._bytes[:end]
            yield self._message(body[:json_size], body[json_size:])

    def _message(self, header: memoryview, raw: memoryview) -> Any:
        try:
            kind, fields = json.loads(str(header, "ascii"))
        except (ValueError, TypeError, RecursionError) as error:
            raise ProtocolError("The frame's header is not ours.") from error
        if not isinstance(kind, str) or kind not in self._kinds:
            raise ProtocolError("A message of this kind has no place here.")
        samples = SampleReader(raw)
        message = decode(self._kinds[kind], fields, samples)
        if not samples.exhausted:
            raise ProtocolError("The frame carries samples that nobody claims.")
        return message
