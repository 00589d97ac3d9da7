"""Stream: one utterance's audio on its way from the engine to its only reader.

The engine's thread writes (``put``, ``finish``); one thread or one coroutine reads, by ``for`` or
``async for``. Knows nothing of what is spoken or where it goes.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from functools import partial

from speech.engine.bell import Bell
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
        self.error: BaseException | None = None
        self._on_cancel = on_cancel
        self._on_take = on_take
        self._on_hurry = on_hurry
        self._chunks: deque[AudioChunk] = deque()
        self._buffered = 0
        self._done = False
        self._cancelled = False
        self._lock = threading.RLock()
        self._changed: threading.Condition | None = None  # only for those who wait in a thread
        self._wake: Callable[[], None] | None = None

    # -- the writer's side

    def put(self, chunk: AudioChunk) -> bool:
        """Hand over a chunk; False when it was dropped, after ``cancel`` or ``finish``."""
        with self._lock:
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
        with self._lock:
            if self._done:
                return
            self._done = True
            self.error = error
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
        with self._lock:
            return self._wait_for(lambda: self._buffered < samples or self._cancelled, timeout)

    # -- the reader's side

    def cancel(self) -> None:
        """Stop listening: frees the buffer and tells the writer once. Idempotent."""
        with self._lock:
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

    def poll(self, wake: Callable[[], None]) -> AudioChunk | None:
        """The next chunk; or None, and ``wake`` is called once when there is more to know.

        ``wake`` runs on the writer's thread, under a lock: it may only pass the word on.
        """
        with self._lock:
            chunk = self._take()
            self._wake = wake if chunk is None else None
        if chunk is not None:
            self._took(len(chunk.samples))
        return chunk

    @property
    def ended(self) -> bool:
        """Nothing more can be read; ``error`` says whether that is as it should be."""
        return self._cancelled or (self._done and not self._chunks)

    def _notify(self) -> None:
        if self._changed:
            self._changed.notify_all()
        if self._wake:
            wake, self._wake = self._wake, None
            wake()

    def _wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        if self._changed is None:
            self._changed = threading.Condition(self._lock)
        return self._changed.wait_for(predicate, timeout)

    def _take(self) -> AudioChunk | None:
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._buffered -= len(chunk.samples)
        if self._changed:
            self._changed.notify_all()
        return chunk

    def _raise_error(self) -> None:
        if self.error is not None and not self._cancelled:
            raise self.error

    def __iter__(self) -> Iterator[AudioChunk]:
        try:
            while True:
                with self._lock:
                    self._wait_for(lambda: bool(self._chunks) or self.ended)
                    chunk = self._take()
                if chunk is None:
                    self._raise_error()
                    return
                self._took(len(chunk.samples))
                yield chunk
        finally:
            self.cancel()

    async def __aiter__(self) -> AsyncGenerator[AudioChunk]:
        loop, bell = asyncio.get_running_loop(), Bell.of_this_loop()
        try:
            while True:
                more = loop.create_future()
                chunk = self.poll(partial(bell.ring, partial(_resolve, more)))
                if chunk is not None:
                    yield chunk
                elif self.ended:
                    self._raise_error()
                    return
                else:
                    await more
        finally:
            self._wake = None
            self.cancel()


def _resolve(more: asyncio.Future[None]) -> None:
    if not more.done():
        more.set_result(None)
