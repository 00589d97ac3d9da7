"""One life of the child: its process, the streams it speaks and the calls it owes an answer.

Everything that waits on a child hangs here and nowhere else, so when it dies this generation is
closed, everybody is answered, and nothing late can reach the streams of the next one.
"""

from __future__ import annotations

import itertools
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from speech.engine.errors import EngineError, EngineUnavailable, InvalidUtterance, ReaderStalled
from speech.engine.hosts import protocol
from speech.engine.hosts.flow import Budget, Flow
from speech.engine.hosts.pair import Pair
from speech.engine.hosts.voices import ToldVoices
from speech.engine.stream import Stream
from speech.engine.types import EngineInfo, FinishReason, Utterance

_ROOT = Path(__file__).resolve().parents[3]
_DUMP_SECONDS = 1.0
_LEAVE_SECONDS = 4.0
_TOO_LONG = "The voice's recordings are too long."

# Never used again in this process, so an id means the same stream in every generation.
_ids = itertools.count(1)

log = logging.getLogger(__name__)


class Generation:
    """A running child and everybody who waits for it. One thread calls ``turn``, any the rest.

    ``info``, ``beat`` and ``refusal`` are the last of each that the child has sent.
    """

    def __init__(self, begin: bytes) -> None:
        """Start a child and give it its first frame. Raises OSError where that is impossible."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._pair = Pair(ours)
            try:
                self._process = _spawn(theirs.fileno())
            except OSError:
                self._pair.close()
                raise
        if self._process.stdout:
            self._pair.follow(self._process.stdout)
        self._lock = threading.Lock()
        self._closed = False
        self._listeners: dict[int, tuple[Stream, Flow]] = {}
        self._calls: dict[int, Future[None]] = {}
        self.info: EngineInfo | None = None
        self.beat: protocol.Beat | None = None
        self.refusal: EngineError | None = None
        self.spawned = self.heard = time.monotonic()
        self._voices = ToldVoices(self._send)
        self._pair.send(begin)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    # -- for those who want something from the engine

    def speak(self, utterance: Utterance, budget: Budget, window: int) -> Stream:
        """Submit; the stream ends with an error where that goes wrong."""
        id, flow = next(_ids), budget.open(window)
        if utterance.ahead:
            flow.wait_for_turn()
        stream = Stream(
            partial(self._cancel, id),
            partial(self._taken, id, flow),
            partial(self._hurry, id, flow),
        )
        with self._lock:
            if self._closed or self._pair.congested:
                flow.end()
                stream.finish(_unavailable())
                return stream
            self._listeners[id] = stream, flow
        try:
            self._voices.send(protocol.Submit(id, flow.grant(), utterance))
        except ValueError:
            self._fail(id, InvalidUtterance(_TOO_LONG, "voice"))
        return stream

    def ask(self, make: Callable[[int], protocol.ToChild], timeout: float) -> None:
        """Send the message ``make`` makes and wait for its Answer.

        Raises the engine's own error, or EngineUnavailable when none comes within ``timeout``.
        """
        id, answer = next(_ids), Future[None]()
        with self._lock:
            if self._closed or self._pair.congested:
                raise _unavailable()
            self._calls[id] = answer
        try:
            message = make(id)
            if isinstance(message, protocol.Check):
                self._voices.send(message)
            else:
                self._send(message)
            answer.result(timeout)
        except TimeoutError:
            raise EngineUnavailable("The engine did not answer in time.") from None
        except ValueError:
            raise InvalidUtterance(_TOO_LONG, "voice") from None
        finally:
            self._calls.pop(id, None)

    def forget(self, voice: str) -> None:
        """Have the child keep nothing of this voice; one that is gone keeps nothing anyway."""
        with self._lock:
            if self._closed:
                return
        self._voices.drop(voice)

    def _send(self, message: protocol.ToChild) -> None:
        self._pair.send(protocol.pack(message))

    def _cancel(self, id: int) -> None:
        if listener := self._listeners.pop(id, None):
            listener[1].abandon()
            self._send(protocol.Cancel(id))

    def _hurry(self, id: int, flow: Flow) -> None:
        flow.listen()
        self._send(protocol.Hurry(id))

    def _taken(self, id: int, flow: Flow, samples: int) -> None:
        flow.take(samples)
        if credit := flow.grant():
            self._send(protocol.Grant(id, credit))

    # -- for the one thread that watches

    def turn(self, timeout: float) -> None:
        """Wait for messages and act on them. Raises EOFError or ProtocolError at the end."""
        for message in self._pair.turn(timeout):
            self.heard = time.monotonic()
            self._handle(message)

    def _handle(self, message: protocol.ToHost) -> None:
        match message:
            case protocol.Audio():
                self._deliver(message)
            case protocol.Finish():
                self._finish(message)
            case protocol.Beat():
                self.beat = message
            case protocol.Answer():
                if answer := self._calls.pop(message.id, None):
                    if message.failure:
                        answer.set_exception(message.failure.error())
                    else:
                        answer.set_result(None)
            case protocol.Hello():
                self.info = message.info
            case protocol.Refused():
                self.refusal = message.failure.error()

    def _deliver(self, message: protocol.Audio) -> None:
        if listener := self._listeners.get(message.id):
            stream, flow = listener
            stream.seed = message.seed
            flow.receive(len(message.chunk.samples))
            stream.put(message.chunk)

    def _finish(self, message: protocol.Finish) -> None:
        if message.failure:
            self._fail(message.id, message.failure.error())
        elif listener := self._listeners.pop(message.id, None):
            stream, flow = listener
            flow.end()
            stream.seed = message.seed
            stream.finish(reason=message.reason or FinishReason.STOP)

    def _fail(self, id: int, error: EngineError) -> None:
        if listener := self._listeners.pop(id, None):
            stream, flow = listener
            flow.end()
            stream.finish(error)

    def drop_parked(self, seconds: float) -> None:
        """Give up on streams whose reader has not taken a waiting chunk for so long."""
        for id, (_, flow) in list(self._listeners.items()):
            if flow.parked > seconds:
                log.warning("A stream was dropped: nobody read it for %.0f s.", seconds)
                self._fail(id, ReaderStalled("The audio was not taken for too long."))
                self._send(protocol.Cancel(id))

    def close(self, reason: str, retry_after: float) -> int:
        """Answer everybody who waits, with EngineUnavailable; how many streams that were."""
        with self._lock:
            self._closed = True
        ended = list(self._listeners)
        for id in ended:
            self._fail(id, EngineUnavailable(reason, retry_after))
        for answer in list(self._calls.values()):
            answer.set_exception(EngineUnavailable(reason, retry_after))
        return len(ended)

    def hang_up(self) -> None:
        """Let the child leave; from any thread."""
        self._pair.hang_up()

    def dump_stacks(self) -> None:
        """Have the child write where its threads are into the log, if it still can."""
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + _DUMP_SECONDS
        seen = False
        while time.monotonic() < deadline:
            said = self._pair.relay_log()
            if seen and not said:
                return
            seen = seen or said
            time.sleep(0.05)

    def bury(self, leave_seconds: float) -> int:
        """Wait for the child to leave, kill it after ``leave_seconds``; its exit code."""
        self._pair.hang_up()
        try:
            self._process.wait(leave_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pair.relay_log()
        self._pair.close()
        return self._process.returncode


def _unavailable() -> EngineUnavailable:
    return EngineUnavailable("The engine is restarting.")


def _spawn(descriptor: int) -> subprocess.Popen[bytes]:
    """Start the child with one inherited socket; all it writes comes out of ``stdout``."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "speech.engine.hosts.child", str(descriptor)],
        bufsize=0,
        cwd=_ROOT,
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
