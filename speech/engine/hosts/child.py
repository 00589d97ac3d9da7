"""The child's side: one engine, one socket, one event loop.

``python -m speech.engine.hosts.child FD``. The loop only carries messages, so it answers and beats
while the engine's own thread is deep in a step. Leaves when the host's end of the pair closes, and
never later: neither Ctrl-C nor a signal to the whole service ends it before its host does.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

from speech.engine.base import Engine
from speech.engine.bell import Bell
from speech.engine.errors import EngineError, UnsupportedByEngine
from speech.engine.hosts import protocol
from speech.engine.hosts.codec import ProtocolError
from speech.engine.hosts.protocol import Failure, FrameBuffer, ToHost, pack
from speech.engine.hosts.voices import KeptVoices
from speech.engine.registry import create_engine
from speech.engine.stream import Stream

# The host kills a silent child much sooner; this is for a hung child whose host is gone.
_HUNG_SECONDS = 30.0
_LEAVE_SECONDS = 3.0
# Not sys.stderr: a library that loads may have put something else there for a moment.
_STDERR = 2
# The loop must get its turn quickly while the engine's thread computes.
_SWITCH_SECONDS = 0.001
_RECEIVE = 256 * 1024

Task = asyncio.Task[None]
Call = protocol.Check | protocol.Load | protocol.Unload | protocol.SetFaults

log = logging.getLogger(__name__)


class Outlet:
    """One stream, and how many samples of it may be sent before its reader has taken more."""

    __slots__ = ("credit", "id", "stream", "wake")

    def __init__(self, id: int, stream: Stream, credit: int, wake: Callable[[], None]) -> None:
        self.id = id
        self.stream = stream
        self.credit = credit
        self.wake = wake


class Child:
    """Serves one engine to one host."""

    def __init__(self, engine: Engine, writer: asyncio.StreamWriter) -> None:
        self._engine = engine
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._bell = Bell.of_this_loop()
        self._frames: list[bytes] = []
        self._outlets: dict[int, Outlet] = {}
        self._tasks: dict[int, Task] = {}
        self._voices = KeptVoices()

    def send(self, message: ToHost) -> None:
        """Hand a message to the socket, together with all that comes up in this turn of the loop.

        Nobody waits for the socket: how much may be on its way is bounded by the host's credit.
        """
        if not self._frames:
            self._loop.call_soon(self._flush)
        self._frames.append(pack(message))

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if not self._writer.is_closing():
            self._writer.write(b"".join(frames))

    def handle(self, message: protocol.ToChild) -> None:
        """Act on a message from the host. Never waits for the engine."""
        match message:
            case protocol.Submit():
                self._speak(message)
            case protocol.Keep():
                self._voices.keep(message)
            case protocol.Forget():
                self._voices.forget(message)
            case protocol.Drop():
                self._engine.forget(message.voice)
            case protocol.Grant():
                if outlet := self._outlets.get(message.id):
                    outlet.credit += message.samples
                    self._pump(message.id)
            case protocol.Cancel():
                if outlet := self._outlets.pop(message.id, None):
                    outlet.stream.cancel()
            case protocol.Hurry():
                if outlet := self._outlets.get(message.id):
                    outlet.stream.hurry()
            case protocol.Begin():
                raise ProtocolError("The engine has begun already.")
            case protocol.Check():
                # Now: by its turn the voice may be forgotten.
                utterance = self._voices.utterance(message)
                self._answer_later(replace(message, utterance=utterance))
            case _:
                self._answer_later(message)

    def _answer_later(self, message: Call) -> None:
        task = self._loop.create_task(self._answer(message))
        self._tasks[message.id] = task
        task.add_done_callback(partial(self._answered, message.id))

    # -- streams: no task of their own, for there may be a thousand

    def _speak(self, message: protocol.Submit) -> None:
        stream = self._engine.submit(self._voices.utterance(message))
        # The engine's thread calls ``wake``; what it brings comes with all else of that moment.
        wake = partial(self._bell.ring, partial(self._pump, message.id))
        self._outlets[message.id] = Outlet(message.id, stream, message.credit, wake)
        self._pump(message.id)

    def _pump(self, id: int) -> None:
        """Send what is there, as far as the credit goes; come again when there is more."""
        outlet = self._outlets.get(id)
        if outlet is None:
            return
        stream = outlet.stream
        while outlet.credit > 0:
            chunk = stream.poll(outlet.wake)
            if chunk is None:
                break
            self.send(protocol.Audio(id, chunk, stream.seed))
            outlet.credit -= len(chunk.samples)
        if stream.ended:
            del self._outlets[id]
            failure = _failure(stream.error) if stream.error else None
            self.send(protocol.Finish(id, stream.finish_reason, stream.seed, failure))

    # -- calls

    async def _answer(self, message: Call) -> None:
        """Do what is asked; a caller that changes the state hears of the new one before the end."""
        match message:
            case protocol.Check():
                self._engine.check(message.utterance)
            case protocol.Load():
                await asyncio.to_thread(self._engine.load)
                self.beat()
            case protocol.Unload():
                await asyncio.to_thread(self._engine.unload)
                self.beat()
            case protocol.SetFaults():
                set_faults = getattr(self._engine, "set_faults", None)
                if set_faults is None:
                    raise UnsupportedByEngine("This engine has no fault switches.", "faults")
                set_faults(message.faults)

    def _answered(self, id: int, task: Task) -> None:
        del self._tasks[id]
        if not task.cancelled():
            error = task.exception()
            self.send(protocol.Answer(id, _failure(error) if error else None))

    def beat(self) -> None:
        """Tell the host that we live, and how the engine does."""
        engine = self._engine
        self.send(protocol.Beat(engine.stats(), time.monotonic(), engine.step_started))

    async def keep_beating(self, interval: float) -> None:
        """Beat for as long as the loop turns."""
        while True:
            faulthandler.dump_traceback_later(_HUNG_SECONDS, exit=True, file=_STDERR)
            self.beat()
            await asyncio.sleep(interval)


def _failure(error: BaseException) -> Failure:
    """Why it failed, for the host."""
    if not isinstance(error, EngineError):
        log.error("The engine raised what it should not.", exc_info=error)
    return Failure.of(error)


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[protocol.ToChild]:
    """What the host says, until it hangs up."""
    frames = FrameBuffer(protocol.TO_CHILD)
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_RECEIVE):
            for message in frames.feed(data):
                yield message


async def serve(sock: socket.socket) -> None:
    """Carry one engine for the host at the other end of ``sock``, until that end closes."""
    reader, writer = await asyncio.open_connection(sock=sock)
    messages = _messages(reader)
    begin = await anext(messages, None)
    if not isinstance(begin, protocol.Begin):
        return
    try:
        engine = create_engine(begin.engine, begin.config)
        writer.write(pack(protocol.Hello(engine.info)))
        engine.start()
    except EngineError as error:
        log.error("The engine could not be started: %s", error.message)
        writer.write(pack(protocol.Refused(Failure.of(error))))
        return
    child = Child(engine, writer)
    beating = asyncio.create_task(child.keep_beating(begin.heartbeat))
    try:
        async for message in messages:
            child.handle(message)
    finally:
        # Whatever hangs now is cut: the process ends by itself after this much time.
        faulthandler.dump_traceback_later(_LEAVE_SECONDS, exit=True, file=_STDERR)
        beating.cancel()
        writer.close()
        engine.stop()


def main(descriptor: int) -> None:
    """Run the child on an inherited socket."""
    # The host decides when we leave. A signal for the whole service would cut running streams.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    sys.setswitchinterval(_SWITCH_SECONDS)
    asyncio.run(serve(socket.socket(fileno=descriptor)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
