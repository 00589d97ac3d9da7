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
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial

from speech.engine.base import Engine
from speech.engine.errors import EngineError, UnsupportedByEngine
from speech.engine.hosts import protocol
from speech.engine.hosts.codec import ProtocolError
from speech.engine.hosts.protocol import Failure, FrameBuffer, ToHost, pack
from speech.engine.registry import create_engine
from speech.engine.stream import Stream

# The host kills a silent child much sooner; this is for a hung child whose host is gone.
_HUNG_SECONDS = 30.0
_LEAVE_SECONDS = 3.0
# The loop must get its turn quickly while the engine's thread computes.
_SWITCH_SECONDS = 0.001
_RECEIVE = 256 * 1024

Task = asyncio.Task[None]
Call = protocol.Check | protocol.Load | protocol.Unload | protocol.SetFaults

log = logging.getLogger(__name__)


class Outlet:
    """What one stream may still send before its reader has taken more."""

    def __init__(self, credit: int, stream: Stream) -> None:
        self.stream = stream
        self._credit = credit
        self._granted = asyncio.Event()

    def grant(self, samples: int) -> None:
        """The reader has made room."""
        self._credit += samples
        self._granted.set()

    async def spend(self, samples: int) -> None:
        """Pay for a chunk and wait until another may be taken from the engine."""
        self._credit -= samples
        while self._credit <= 0:
            self._granted.clear()
            await self._granted.wait()


class Child:
    """Serves one engine to one host."""

    def __init__(self, engine: Engine, writer: asyncio.StreamWriter) -> None:
        self._engine = engine
        self._writer = writer
        self._outlets: dict[int, Outlet] = {}
        self._tasks: dict[int, Task] = {}

    def send(self, message: ToHost) -> None:
        """Hand a message to the socket."""
        self._writer.write(pack(message))

    def handle(self, message: protocol.ToChild) -> None:
        """Act on a message from the host. Never waits for the engine."""
        match message:
            case protocol.Submit():
                opened = Outlet(message.credit, self._engine.submit(message.utterance))
                self._outlets[message.id] = opened
                self._begin(message.id, self._speak(message.id, opened), self._spoken)
            case protocol.Grant():
                if outlet := self._outlets.get(message.id):
                    outlet.grant(message.samples)
            case protocol.Cancel():
                if outlet := self._outlets.get(message.id):
                    outlet.stream.cancel()
                    self._tasks[message.id].cancel()
            case protocol.Hurry():
                if outlet := self._outlets.get(message.id):
                    outlet.stream.hurry()
            case protocol.Begin():
                raise ProtocolError("The engine has begun already.")
            case _:
                self._begin(message.id, self._answer(message), self._answered)

    def _begin(
        self, id: int, work: Coroutine[None, None, None], done: Callable[[int, Task], None]
    ) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[id] = task
        task.add_done_callback(partial(done, id))

    async def _speak(self, id: int, outlet: Outlet) -> None:
        stream = outlet.stream
        try:
            async for chunk in stream:
                self.send(protocol.Audio(id, chunk, stream.seed))
                await self._writer.drain()
                await outlet.spend(len(chunk.samples))
        finally:
            stream.cancel()
        self.send(protocol.Finish(id, stream.finish_reason, stream.seed, None))

    def _spoken(self, id: int, task: Task) -> None:
        del self._tasks[id], self._outlets[id]
        if failure := self._failure(task):
            self.send(protocol.Finish(id, None, None, failure))

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
        if not self._writer.is_closing():
            self.send(protocol.Answer(id, self._failure(task)))

    def _failure(self, task: Task) -> Failure | None:
        """Why the task failed, for the host; None when it did not or when nobody asks any more."""
        if task.cancelled() or self._writer.is_closing():
            return None
        error = task.exception()
        if error is None:
            return None
        if not isinstance(error, EngineError):
            log.error("The engine raised what it should not.", exc_info=error)
        return Failure.of(error)

    def beat(self) -> None:
        """Tell the host that we live, and how the engine does."""
        engine = self._engine
        self.send(protocol.Beat(engine.stats(), time.monotonic(), engine.step_started))

    async def keep_beating(self, interval: float) -> None:
        """Beat for as long as the loop turns."""
        while True:
            faulthandler.dump_traceback_later(_HUNG_SECONDS, exit=True)
            self.beat()
            await asyncio.sleep(interval)


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
        faulthandler.dump_traceback_later(_LEAVE_SECONDS, exit=True)
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
