"""Stream: one utterance's audio on its way from the engine to its only reader.

The engine's thread writes (``put``, ``finish``); one thread or one coroutine reads, by ``for`` or
``async for``. Knows nothing of what is spoken or where it goes.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress

from speech.engine.types import AudioChunk, FinishReason


class Stream:
    """A one-writer, one-reader channel of AudioChunks with a known end.

    Leaving the reader's loop early cancels. ``on_take`` hears, on the reader's thread, of samples
    that leave the buffer, read or thrown away by ``cancel``. ``seed`` is the one that was used,
    known at the latest with the first chunk; ``finish_reason`` is known after the last.
    """

    def __init__(
        self,
        on_cancel: Callable[[], None] | None = None,
        on_take: Callable[[int], None] | None = None,
        on_hurry: Callable[[], None] | None = None,
    ) -> None:
        self.seed: int | None = None
        self.finish_reason: FinishReason | None = None
        self._on_cancel = on_cancel
        self._on_take = on_take
        self._on_hurry = on_hurry
        self._chunks: deque[AudioChunk] = deque()
        self._buffered = 0
        self._error: BaseException | None = None
        self._done = False
        self._cancelled = False
        self._changed = threading.Condition()
        self._wake_reader: Callable[[], None] | None = None

    # -- the writer's side

    def put(self, chunk: AudioChunk) -> bool:
        """Hand over a chunk; False when it was dropped, after ``cancel`` or ``finish``."""
        with self._changed:
            if self._done or self._cancelled:
                return False
            self._chunks.append(chunk)
            self._buffered += len(chunk.samples)
            self._notify()
            return True

    def finish(
        self, error: BaseException | None = None, reason: FinishReason = FinishReason.STOP
    ) -> None:
        """Close the stream; the reader gets what is buffered, then the error, if any."""
        with self._changed:
            if self._done:
                return
            self._done = True
            self._error = error
            self.finish_reason = reason if error is None else None
            self._notify()

    @property
    def buffered(self) -> int:
        """Samples put and not yet read: what a writer looks at before it goes on."""
        return self._buffered

    @property
    def cancelled(self) -> bool:
        """The reader has left; the writer should stop at once."""
        return self._cancelled

    @property
    def finished(self) -> bool:
        """The writer has closed it."""
        return self._done

    def wait_below(self, samples: int, timeout: float) -> bool:
        """Block the writer until fewer than ``samples`` are buffered or the reader has left."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._buffered < samples or self._cancelled, timeout
            )

    # -- the reader's side

    def cancel(self) -> None:
        """Stop listening: frees the buffer and tells the writer once. Idempotent."""
        with self._changed:
            if self._cancelled or (self._done and not self._chunks):
                return
            self._cancelled = True
            self._chunks.clear()
            dropped, self._buffered = self._buffered, 0
            finished = self._done
            self._notify()
        if dropped:
            self._took(dropped)
        if self._on_cancel and not finished:
            self._on_cancel()

    def hurry(self) -> None:
        """The turn of what was asked for ahead has come: from now on somebody listens."""
        on_hurry, self._on_hurry = self._on_hurry, None
        if on_hurry and not self._cancelled:
            on_hurry()

    def _took(self, samples: int) -> None:
        # Outside the lock: whoever is told may ask the stream for more.
        if self._on_take:
            self._on_take(samples)

    def _notify(self) -> None:
        self._changed.notify_all()
        if self._wake_reader:
            self._wake_reader()

    def _take(self) -> AudioChunk | None:
        """The next chunk, or None when there is none yet."""
        if self._chunks:
            chunk = self._chunks.popleft()
            self._buffered -= len(chunk.samples)
            self._changed.notify_all()
            return chunk
        if self._cancelled:
            raise _Ended
        if self._done:
            if self._error is not None:
                raise self._error
            raise _Ended
        return None

    def __iter__(self) -> Iterator[AudioChunk]:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(
                        lambda: bool(self._chunks) or self._done or self._cancelled
                    )
                    chunk = self._take()
                if chunk is not None:
                    self._took(len(chunk.samples))
                    yield chunk
        except _Ended:
            return
        finally:
            self.cancel()

    async def __aiter__(self) -> AsyncGenerator[AudioChunk]:
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()

        def wake() -> None:
            # The loop may close while the engine still speaks: then nobody is left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(arrived.set)

        with self._changed:
            self._wake_reader = wake
        try:
            while True:
                with self._changed:
                    arrived.clear()
                    chunk = self._take()
                if chunk is None:
                    await arrived.wait()
                else:
                    self._took(len(chunk.samples))
                    yield chunk
        except _Ended:
            return
        finally:
            self._wake_reader = None
            self.cancel()


class _Ended(Exception):
    """Nothing more will come."""
