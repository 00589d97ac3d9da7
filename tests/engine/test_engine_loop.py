"""What every engine with a step loop does, shown with the tone engine."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from speech.engine.errors import (
    EngineBusy,
    EngineUnavailable,
    QueueTimeout,
    ReaderStalled,
)
from speech.engine.faults import Faults
from speech.engine.tone import ToneEngine
from speech.engine.types import EngineState, FinishReason, Priority, SamplingParams, Utterance
from tests.engine.waiting import eventually

LONG = Utterance("x" * 400)
SHORT = Utterance("a short one")


@pytest.fixture
def start():
    engines = []

    def start(faults=None, **config):
        engine = ToneEngine(**config)
        if faults:
            engine.set_faults(faults)
        engines.append(engine)
        engine.start()
        return engine

    yield start
    for engine in engines:
        engine.stop()


def test_it_paces_in_real_time(start):
    engine = start(speed=4.0)
    began = time.monotonic()
    chunks = list(engine.submit(Utterance("x" * 20)))
    assert time.monotonic() - began == pytest.approx((len(chunks) - 1) * 0.02, abs=0.1)


def test_it_runs_no_more_than_its_slots_and_queues_the_rest(start):
    engine = start(slots=2, speed=1.0)
    streams = [engine.submit(LONG) for _ in range(5)]
    eventually(lambda: engine.stats().running == 2)
    assert engine.stats().waiting == 3
    for stream in streams:
        stream.cancel()
    eventually(lambda: engine.stats().running == engine.stats().waiting == 0)


def test_it_refuses_what_the_queue_cannot_hold(start):
    engine = start(slots=1, max_waiting=2, speed=1.0)
    streams = [engine.submit(LONG) for _ in range(3)]
    eventually(lambda: engine.stats().waiting == 2)
    with pytest.raises(EngineBusy) as error:
        engine.check(SHORT)
    assert 1 <= error.value.retry_after <= 60
    streams[0].cancel()
    eventually(lambda: engine.stats().waiting == 1)
    engine.check(SHORT)


def test_it_crowds_out_who_was_checked_when_there_was_room_but_never_a_continuation(start):
    engine = start(slots=1, max_waiting=1, speed=1.0)
    streams = [engine.submit(LONG)]
    eventually(lambda: engine.stats().running == 1)
    streams.append(engine.submit(LONG))
    with pytest.raises(EngineBusy):
        list(engine.submit(SHORT))
    continued = engine.submit(replace(SHORT, priority=Priority.CONTINUATION))
    eventually(lambda: engine.stats().waiting == 2)
    streams[0].cancel()
    assert len(list(continued)) > 0
    streams[1].cancel()


def test_it_ends_what_waited_too_long(start):
    engine = start(slots=1, queue_seconds=0.1, speed=1.0)
    engine.submit(LONG)
    waiting = engine.submit(SHORT)
    with pytest.raises(QueueTimeout):
        list(waiting)
    assert engine.stats().waiting == 0


def test_it_frees_the_slot_within_a_step_when_the_reader_leaves(start):
    engine = start(slots=1, speed=1.0)
    first = engine.submit(LONG)
    second = engine.submit(SHORT)
    next(iter(first))
    began = time.monotonic()
    next(iter(second))
    assert time.monotonic() - began < 0.2


def test_it_lets_groups_take_turns_and_people_go_before_jobs(start):
    engine = start(slots=1, speed=1.0)
    blocker = engine.submit(LONG)
    eventually(lambda: engine.stats().running == 1)
    order = []

    def follow(name, **fields):
        stream = engine.submit(Utterance(name, **fields))
        reader = threading.Thread(target=lambda: (next(iter(stream)), order.append(name)))
        reader.start()
        return reader

    readers = [
        follow("job", priority=Priority.JOB, group="b"),
        follow("a1", group="a"),
        follow("a2", group="a"),
        follow("b1", group="b"),
    ]
    eventually(lambda: engine.stats().waiting == 4)
    blocker.cancel()
    for reader in readers:
        reader.join(5)
    assert order == ["a1", "b1", "a2", "job"]


def test_one_groups_crowd_delays_another_groups_first_sound_by_little(start):
    engine = start(Faults(slow=0.02), slots=100)
    crowd = [engine.submit(Utterance("crowd", group="crowd")) for _ in range(50)]
    single = engine.submit(Utterance("single", group="single"))
    next(iter(single))
    begun = sum(stream.buffered > 0 for stream in crowd)
    assert begun < 10, "all have slots, yet they take turns"


def test_it_rests_while_its_reader_is_two_seconds_behind_and_goes_on_after(start):
    engine = start()
    stream = engine.submit(LONG)
    eventually(lambda: stream.buffered >= 2 * 24_000)
    time.sleep(0.05)
    assert stream.buffered <= 2.1 * 24_000
    assert sum(len(chunk.samples) for chunk in stream) == 400 * 1440
    assert stream.finish_reason is FinishReason.STOP


def test_it_holds_less_for_each_when_there_are_many(start):
    engine = start(slots=1000, max_waiting=1000)
    streams = [engine.submit(LONG) for _ in range(400)]
    eventually(lambda: engine.stats().running == 400)
    time.sleep(0.3)
    held = sum(stream.buffered for stream in streams) * 4
    assert 8 * 1024**2 < held < 34 * 1024**2
    assert len(list(streams[-1])) == 300


def test_it_gives_up_a_reader_that_stalls(start):
    engine = start(slots=1, park_seconds=0.1)
    stalled = engine.submit(LONG)
    assert len(list(engine.submit(SHORT))) > 0
    with pytest.raises(ReaderStalled):
        list(stalled)


def test_it_keeps_those_waiting_while_the_model_loads(start):
    engine = start(Faults(load_seconds=0.2))
    eventually(lambda: engine.stats().state is EngineState.LOADING)
    engine.check(SHORT)
    assert len(list(engine.submit(SHORT))) > 0
    assert engine.stats().load_seconds >= 0.2


def test_it_lets_a_wait_for_the_model_expire_and_goes_on_loading(start):
    engine = start(Faults(load_seconds=0.4), queue_seconds=0.1)
    with pytest.raises(EngineUnavailable, match="being loaded") as error:
        list(engine.submit(SHORT))
    assert not isinstance(error.value, QueueTimeout)
    eventually(lambda: engine.stats().state is EngineState.READY)


def test_it_unloads_when_idle_and_loads_again_when_asked(start):
    engine = start()
    list(engine.submit(SHORT))
    engine.unload()
    assert engine.stats().state is EngineState.COLD
    engine.check(SHORT)
    assert len(list(engine.submit(SHORT))) > 0


def test_it_refuses_to_unload_while_it_speaks(start):
    engine = start(speed=1.0)
    stream = engine.submit(LONG)
    next(reader := iter(stream))
    with pytest.raises(EngineBusy):
        engine.unload()
    reader.close()


def test_it_ends_every_stream_when_it_stops(start):
    engine = start(slots=1, speed=1.0)
    streams = [engine.submit(LONG) for _ in range(3)]
    eventually(lambda: engine.stats().running == 1)
    engine.stop()
    for stream in [*streams, engine.submit(SHORT)]:
        with pytest.raises(EngineUnavailable):
            list(stream)
    with pytest.raises(EngineUnavailable):
        engine.check(SHORT)
    engine.stop()


def test_it_starts_again_after_a_stop(start):
    engine = start()
    engine.stop()
    engine.start()
    assert len(list(engine.submit(SHORT))) > 0


def test_it_answers_many_threads_at_once(start):
    engine = start(slots=8)
    lengths = []

    def speak():
        for seed in range(10):
            stream = engine.submit(Utterance("x" * 50, params=SamplingParams(seed=seed)))
            lengths.append(sum(len(chunk.samples) for chunk in stream))

    threads = [threading.Thread(target=speak) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert lengths == [50 * 1440] * 80
    assert engine.stats().running == engine.stats().waiting == 0
