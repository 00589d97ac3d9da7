"""A reader that stops costs its window and nobody else anything; one that leaves frees its slot."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from speech.engine.errors import ReaderStalled
from speech.engine.hosts.process import ProcessHost
from speech.engine.hosts.supervisor import Limits
from speech.engine.types import EngineState, Priority, Utterance
from tests.engine.waiting import eventually

pytestmark = pytest.mark.slow

LONG = Utterance("A long one that goes on and on. " * 20)
RATE = 24_000
CHUNK = 1920


@pytest.fixture
def make_host():
    hosts = []

    def make(config=None, **options):
        host = ProcessHost("tone", config, **options)
        hosts.append(host)
        host.start()
        eventually(lambda: host.stats().state is EngineState.READY)
        return host

    yield make
    for host in hosts:
        host.stop()


def test_it_sends_a_reader_that_stops_one_window_and_no_more(make_host):
    host = make_host()
    stream = host.submit(LONG)
    eventually(lambda: stream.buffered >= 2 * RATE)
    time.sleep(0.3)
    assert stream.buffered <= 2 * RATE + CHUNK
    stream.cancel()
    eventually(lambda: host.stats().running == 0)
    assert host.buffered == 0


def test_it_keeps_speaking_to_others_while_two_hundred_readers_stand_still(make_host):
    host = make_host({"slots": 256}, buffer_bytes=100 * CHUNK * 4)
    still = [host.submit(LONG) for _ in range(200)]
    eventually(lambda: all(stream.buffered for stream in still))
    started = time.monotonic()
    spoken = sum(len(chunk.samples) for chunk in host.submit(LONG))
    assert spoken == len(LONG.text) * 1440
    assert time.monotonic() - started < 5.0
    held = sum(stream.buffered for stream in still)
    assert held <= 100 * CHUNK + 201 * CHUNK
    for stream in still:
        stream.cancel()
    eventually(lambda: host.stats().running == 0)
    assert host.buffered == 0


def test_it_sends_all_of_it_to_a_reader_that_comes_late(make_host):
    host = make_host({"chunk_seconds": 0.16})
    stream = host.submit(LONG)
    time.sleep(0.5)
    assert sum(len(chunk.samples) for chunk in stream) == len(LONG.text) * 1440
    assert host.buffered == 0


def test_it_gives_up_on_a_reader_that_stands_still_for_too_long(make_host):
    host = make_host(limits=Limits(parked=0.5))
    stream = host.submit(LONG)
    eventually(lambda: stream.finished, 3)
    heard = 0
    with pytest.raises(ReaderStalled):
        for chunk in stream:
            heard += len(chunk.samples)
    assert 2 * RATE <= heard <= 2 * RATE + CHUNK
    eventually(lambda: host.stats().running == 0)
    assert host.buffered == 0


@pytest.mark.parametrize("chunks", [0, 1, 40])
def test_it_frees_the_slot_when_the_reader_leaves(make_host, chunks):
    host = make_host({"speed": 8.0})
    stream = host.submit(LONG)
    eventually(lambda: host.stats().running == 1)
    for number, _ in enumerate(stream):
        if number == chunks:
            break
    assert eventually(lambda: host.stats().running == 0) < 0.5
    assert host.buffered == 0


async def test_it_frees_the_slot_of_a_coroutine_that_is_cancelled(make_host):
    host = make_host({"speed": 8.0})

    async def read():
        async for _ in host.submit(LONG):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    eventually(lambda: host.stats().running == 0)
    assert host.buffered == 0


def test_it_frees_the_place_of_one_that_waits_in_the_queue(make_host):
    host = make_host({"speed": 8.0, "slots": 1})
    first, waiting = host.submit(LONG), host.submit(LONG)
    eventually(lambda: host.stats().waiting == 1)
    waiting.cancel()
    eventually(lambda: host.stats().waiting == 0)
    assert host.stats().running == 1
    first.cancel()


def test_it_serves_readers_on_many_threads(make_host):
    host = make_host()
    heard = []

    def read():
        heard.append(sum(len(chunk.samples) for chunk in host.submit(LONG)))

    readers = [threading.Thread(target=read) for _ in range(20)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert heard == [len(LONG.text) * 1440] * 20
    assert host.buffered == 0


def test_what_is_made_ahead_waits_whole_until_somebody_listens(make_host):
    host = make_host({"park_seconds": 0.2}, limits=Limits(parked=0.2))
    ahead = host.submit(replace(LONG, ahead=True, priority=Priority.CONTINUATION))
    samples = len(LONG.text) * 1440
    eventually(lambda: ahead.buffered == samples)
    time.sleep(0.5)
    assert sum(len(chunk.samples) for chunk in ahead) == samples


def test_what_was_made_ahead_and_is_not_taken_in_its_turn_is_given_up(make_host):
    host = make_host(limits=Limits(parked=0.2))
    over_a_minute = Utterance("x" * 2000, ahead=True, priority=Priority.CONTINUATION)
    ahead = host.submit(over_a_minute)
    eventually(lambda: ahead.buffered >= 60 * RATE)
    assert ahead.buffered <= 60 * RATE + CHUNK
    ahead.hurry()
    with pytest.raises(ReaderStalled):
        eventually(lambda: ahead.finished)
        list(ahead)


def test_one_that_was_asked_for_ahead_overtakes_others_when_it_is_hurried(make_host):
    host = make_host({"slots": 1, "speed": 1.0})
    speaking = host.submit(LONG)
    eventually(lambda: host.stats().running == 1)
    other = host.submit(Utterance("another"))
    ahead = host.submit(Utterance("ahead", ahead=True, priority=Priority.CONTINUATION))
    eventually(lambda: host.stats().waiting == 1)
    ahead.hurry()
    eventually(lambda: host.stats().waiting == 2)
    speaking.cancel()
    eventually(lambda: ahead.buffered)
    assert not other.buffered
    other.cancel()
