"""An engine's stream between its writer's thread and a reader in a thread or a coroutine."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest

from speech.engine.errors import SynthesisFailed
from speech.engine.stream import Stream
from speech.engine.types import AudioChunk, FinishReason


def chunk(samples=10, value=0.0):
    return AudioChunk(np.full(samples, value, np.float32))


def test_it_hands_over_every_chunk_in_order_and_ends():
    stream = Stream()
    chunks = [chunk(value=index) for index in range(5)]
    for one in chunks:
        stream.put(one)
    stream.finish(reason=FinishReason.LENGTH)
    assert list(stream) == chunks
    assert stream.finish_reason is FinishReason.LENGTH


def test_it_wakes_a_reader_in_another_thread():
    stream = Stream()
    received = []
    reader = threading.Thread(target=lambda: received.extend(stream))
    reader.start()
    for _ in range(3):
        stream.put(chunk())
    stream.finish()
    reader.join(2)
    assert not reader.is_alive()
    assert len(received) == 3


async def test_it_wakes_a_coroutine():
    stream = Stream()

    def write():
        for _ in range(100):
            stream.put(chunk())
        stream.finish()

    writer = threading.Thread(target=write)
    writer.start()
    assert len([one async for one in stream]) == 100
    writer.join()


def test_it_delivers_what_is_buffered_before_the_error():
    stream = Stream()
    stream.put(chunk())
    stream.finish(SynthesisFailed("It broke."))
    reader = iter(stream)
    assert len(next(reader).samples) == 10
    with pytest.raises(SynthesisFailed, match="It broke"):
        next(reader)
    assert stream.finish_reason is None


async def test_it_raises_the_error_in_a_coroutine():
    stream = Stream()
    stream.finish(SynthesisFailed("It broke."))
    with pytest.raises(SynthesisFailed):
        await anext(aiter(stream))


def test_it_counts_what_is_not_yet_read():
    stream = Stream()
    stream.put(chunk(10))
    stream.put(chunk(5))
    assert stream.buffered == 15
    next(iter(stream))
    assert stream.buffered == 0, "leaving the loop threw the rest away"


def test_it_cancels_when_the_reader_leaves_early():
    left = []
    stream = Stream(on_cancel=lambda: left.append(True))
    stream.put(chunk())
    for _ in stream:
        break
    assert left == [True]
    assert stream.cancelled


async def test_it_cancels_when_the_readers_task_is_cancelled():
    left = []
    stream = Stream(on_cancel=lambda: left.append(True))

    async def read():
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left == [True]


def test_it_does_not_cancel_what_was_read_to_its_end():
    left = []
    stream = Stream(on_cancel=lambda: left.append(True))
    stream.put(chunk())
    stream.finish()
    assert len(list(stream)) == 1
    assert left == []
    assert not stream.cancelled


def test_it_drops_what_comes_after_cancel_and_after_finish():
    stream = Stream()
    assert stream.put(chunk())
    stream.cancel()
    assert not stream.put(chunk())
    assert stream.buffered == 0
    ended = Stream()
    ended.finish()
    assert not ended.put(chunk())
    assert list(ended) == []


def test_it_tells_once_when_cancelled_twice():
    left = []
    stream = Stream(on_cancel=lambda: left.append(True))
    stream.cancel()
    stream.cancel()
    assert left == [True]


def test_it_tells_what_leaves_the_buffer():
    taken = []
    stream = Stream(on_take=taken.append)
    stream.put(chunk(10))
    stream.put(chunk(5))
    stream.put(chunk(7))
    reader = iter(stream)
    next(reader)
    assert taken == [10]
    reader.close()
    assert taken == [10, 12]


def test_it_holds_the_writer_until_there_is_room():
    stream = Stream()
    stream.put(chunk(10))
    assert not stream.wait_below(10, timeout=0.01)
    reader = iter(stream)
    threading.Timer(0.02, lambda: next(reader)).start()
    assert stream.wait_below(10, timeout=2)


def test_it_lets_the_writer_go_when_the_reader_leaves():
    stream = Stream()
    stream.put(chunk(10))
    threading.Timer(0.02, stream.cancel).start()
    began = time.monotonic()
    assert stream.wait_below(10, timeout=2)
    assert time.monotonic() - began < 1


def test_it_wakes_who_polls_once_and_only_where_there_was_nothing():
    stream, woken = Stream(), []

    def wake():
        woken.append(stream.buffered)

    stream.put(chunk(10))
    assert len(stream.poll(wake).samples) == 10
    stream.put(chunk(5))
    assert woken == []
    assert len(stream.poll(wake).samples) == 5
    assert stream.poll(wake) is None
    stream.put(chunk(7))
    stream.put(chunk(7))
    assert woken == [7]


def test_it_tells_who_polls_of_the_end_and_of_what_went_wrong():
    stream, woken = Stream(), []
    assert stream.poll(lambda: woken.append(True)) is None
    assert not stream.ended
    stream.put(chunk())
    stream.finish(SynthesisFailed("It broke."))
    assert woken == [True]
    assert not stream.ended, "one chunk is left"
    assert stream.poll(lambda: None) is not None
    assert stream.ended
    assert isinstance(stream.error, SynthesisFailed)


def test_it_survives_the_end_of_the_readers_loop():
    stream = Stream()
    stream.put(chunk())
    reader = aiter(stream)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(anext(reader))
    loop.close()
    stream.put(chunk())
    assert stream.buffered == 10
