"""What an engine that speaks for all at once does with those in flight."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from speech.engine.errors import (
    EngineBusy,
    QueueTimeout,
    ReaderStalled,
)
from speech.engine.types import EngineState, FinishReason, Priority, SamplingParams, Utterance
from tests.engine.patches import PATCH, Runner, expected
from tests.engine.speaking import heard, say
from tests.engine.waiting import eventually

LONG = Utterance("x" * 60, params=SamplingParams(seed=1))


def test_everybody_hears_their_own_audio_whole_and_in_order(start):
    engine = start(Runner(slots=3))
    texts = ["one", "four", "seventeen", "twenty-five", "a"] * 3
    streams = [engine.submit(say(text, seed)) for seed, text in enumerate(texts)]
    for seed, (text, stream) in enumerate(zip(texts, streams, strict=True)):
        assert np.array_equal(heard(stream), expected(text, seed, len(text)))
        assert (stream.seed, stream.finish_reason) == (seed, FinishReason.STOP)
    assert engine.stats().running == engine.stats().waiting == 0


def test_who_runs_together_shares_each_step(start):
    runner = Runner(step_seconds=0.002)
    engine = start(runner)
    for stream in [engine.submit(say("x" * 20)) for _ in range(4)]:
        heard(stream)
    steps = [slots for name, slots in runner.calls if name == "emit"]
    assert max(map(len, steps)) == 4
    assert len(steps) < 2 * 20


def test_one_joins_while_others_speak_and_the_lowest_slot_goes_first(start):
    runner = Runner(step_seconds=0.005)
    engine = start(runner)
    first, second = engine.submit(LONG), engine.submit(LONG)
    next(iter(first))
    eventually(lambda: engine.stats().running == 1)
    assert np.array_equal(heard(engine.submit(say("three"))), expected("three", 1, 5))
    began = [slots for name, slots in runner.calls if name == "begin"]
    assert began == [(0,), (1,), (0,)]
    second.cancel()


def test_prompts_are_read_in_together_up_to_the_budget(start):
    runner = Runner(step_seconds=0.002)
    engine = start(runner, prefill_tokens=25, prefill_passes=4)
    for stream in [engine.submit(say("x" * 10)) for _ in range(4)]:
        heard(stream)
    passes = [slots for name, slots in runner.calls if name == "prefill"]
    assert 2 <= len(passes) <= 4
    assert max(map(len, passes)) > 1


def test_those_who_speak_do_not_stall_while_a_long_line_is_read_in(start):
    runner = Runner(step_seconds=0.001, slots=40)
    engine = start(runner, prefill_tokens=10, prefill_passes=2)
    speaking = engine.submit(LONG)
    next(iter_ := iter(speaking))
    crowd = [engine.submit(say("x" * 30)) for _ in range(30)]
    for _ in range(20):
        next(iter_)
    names = [name for name, _ in runner.calls]
    pauses = "".join("p" if n == "prefill" else "e" if n == "emit" else "" for n in names)
    assert "ppp" not in pauses[1:].lstrip("p")
    assert "pp" in pauses
    for stream in [speaking, *crowd]:
        stream.cancel()


def test_nobody_begins_long_before_the_turn_so_that_groups_stay_fair(start):
    runner = Runner(step_seconds=0.002, slots=100)
    engine = start(runner, prefill_tokens=20, prefill_passes=1)
    crowd = [engine.submit(say("x" * 10, group="crowd")) for _ in range(50)]
    single = engine.submit(say("single", group="single"))
    next(iter(single))
    assert sum(stream.buffered > 0 or stream.finished for stream in crowd) < 10
    for stream in crowd:
        stream.cancel()


def test_jobs_leave_the_last_slots_to_people(start):
    runner = Runner(slots=4, step_seconds=0.002)
    engine = start(runner, interactive=1)
    jobs = [engine.submit(replace(LONG, priority=Priority.JOB)) for _ in range(5)]
    eventually(lambda: engine.stats().running == 3)
    time.sleep(0.05)
    assert engine.stats().running == 3
    began = time.monotonic()
    assert len(heard(engine.submit(say("a person")))) == 8 * PATCH
    assert time.monotonic() - began < 0.5
    for job in jobs:
        job.cancel()


@pytest.mark.parametrize("phase", ["queue", "begin", "prefill", "emit", "advance"])
def test_a_reader_who_leaves_frees_the_slot_within_a_step_in_every_phase(start, phase):
    entered, leave = threading.Event(), threading.Event()

    def hold(slots, **_):
        entered.set()
        leave.wait(5)

    runner = Runner(slots=1)
    engine = start(runner)
    if phase == "queue":
        blocker = engine.submit(LONG)
        runner.step_seconds = 0.002
        eventually(lambda: engine.stats().running == 1)
        leaver = engine.submit(say("leaving"))
        leaver.cancel()
        eventually(lambda: engine.stats().waiting == 0)
        assert len(heard(blocker)) == 60 * PATCH
        assert ("leaving", 1) not in runner.draws
        return
    runner.faults[phase] = hold
    leaver = engine.submit(say("leaving"))
    assert entered.wait(5)
    del runner.faults[phase]
    runner.calls.clear()
    leaver.cancel()
    leave.set()
    eventually(lambda: engine.stats().running == 0)
    assert not runner.held
    assert [name for name, _ in runner.calls if name != "release"] in ([], ["advance"])
    assert np.array_equal(heard(engine.submit(say("next"))), expected("next", 1, 4))


def test_it_rests_while_its_reader_is_behind_and_costs_others_no_step(start):
    runner = Runner()
    engine = start(runner)
    stream = engine.submit(LONG)
    eventually(lambda: stream.buffered >= 2 * 16_000)
    time.sleep(0.05)
    steps = len(runner.calls)
    time.sleep(0.1)
    assert len(runner.calls) == steps
    assert np.array_equal(heard(stream), expected("x" * 60, 1, 60))


def test_who_is_not_read_is_given_up_but_not_who_was_asked_for_ahead(start):
    engine = start(park_seconds=0.1)
    ahead = engine.submit(replace(LONG, ahead=True, priority=Priority.CONTINUATION))
    stalled = engine.submit(LONG)
    eventually(lambda: stalled.finished)
    with pytest.raises(ReaderStalled):
        heard(stalled)
    assert not ahead.finished
    ahead.hurry()
    eventually(lambda: ahead.finished)
    with pytest.raises(ReaderStalled):
        heard(ahead)


def test_who_was_asked_for_ahead_goes_before_others_once_somebody_listens(start):
    runner = Runner(slots=1, step_seconds=0.002)
    engine = start(runner)
    speaking = engine.submit(LONG)
    eventually(lambda: engine.stats().running == 1)
    others = [engine.submit(say(f"other {index}")) for index in range(3)]
    ahead = engine.submit(say("ahead", ahead=True, priority=Priority.CONTINUATION))
    eventually(lambda: engine.stats().waiting == 3)
    ahead.hurry()
    eventually(lambda: engine.stats().waiting == 4)
    speaking.cancel()
    assert len(heard(ahead)) == 5 * PATCH
    assert [text for text, _ in runner.draws][:2] == ["x" * 60, "ahead"]
    for other in others:
        other.cancel()


def test_the_queue_is_bounded_and_has_a_deadline(start):
    engine = start(Runner(slots=1, step_seconds=0.01), max_waiting=1, queue_seconds=0.1)
    running, waiting = engine.submit(LONG), engine.submit(LONG)
    eventually(lambda: engine.stats().waiting == 1)
    with pytest.raises(EngineBusy):
        engine.check(LONG)
    with pytest.raises(QueueTimeout):
        heard(waiting)
    running.cancel()


def test_it_unloads_when_idle_and_loads_again_when_asked(start):
    runner = Runner(step_seconds=0.002)
    engine = start(runner, idle_seconds=0.1)
    stream = engine.submit(LONG)
    time.sleep(0.2)
    assert engine.stats().state is EngineState.READY, "work is in flight"
    assert len(heard(stream)) == 60 * PATCH
    eventually(lambda: engine.stats().state is EngineState.COLD)
    assert [name for name, _ in runner.calls][-1] == "unload"
    assert np.array_equal(heard(engine.submit(say("again"))), expected("again", 1, 5))
    engine.submit(LONG)
    eventually(lambda: engine.stats().running == 1)
    with pytest.raises(EngineBusy):
        engine.unload()


def test_many_threads_are_answered_at_once(start):
    engine = start(Runner(slots=4))
    wrong = []

    def speak(number):
        for seed in range(8):
            text = "x" * (number + seed + 1)
            audio = heard(engine.submit(say(text, seed)))
            if not np.array_equal(audio, expected(text, seed, len(text))):
                wrong.append(text)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
    assert engine.stats().running == engine.stats().waiting == 0


def test_what_is_asked_for_ahead_crowds_nobody_out_and_has_no_deadline_of_its_own(start):
    engine = start(Runner(slots=1, step_seconds=0.002), max_waiting=1, queue_seconds=0.1)
    speaking = engine.submit(say("x" * 200))
    eventually(lambda: engine.stats().running == 1)
    ahead = [
        engine.submit(say("ahead", ahead=True, priority=Priority.CONTINUATION)) for _ in range(5)
    ]
    time.sleep(0.2)
    assert engine.stats().waiting == 0
    engine.check(LONG)
    assert not any(one.finished for one in ahead)
    ahead[0].hurry()
    with pytest.raises(QueueTimeout):
        heard(ahead[0])
    speaking.cancel()
    ahead[1].hurry()
    assert len(heard(ahead[1])) == 5 * PATCH
