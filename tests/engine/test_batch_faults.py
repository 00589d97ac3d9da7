"""What goes wrong while an engine speaks for all at once ends with those it concerns."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from speech.engine.errors import (
    EngineUnavailable,
    InvalidUtterance,
    SynthesisFailed,
)
from speech.engine.sequences import DeviceLost
from speech.engine.types import EngineState, FinishReason, SamplingParams, Utterance
from tests.engine.patches import PATCH, Runner, expected
from tests.engine.speaking import heard, raised, say
from tests.engine.waiting import eventually

LONG = Utterance("x" * 60, params=SamplingParams(seed=1))


def test_one_that_cannot_be_said_ends_alone(start):
    engine = start(Runner(step_seconds=0.002))
    others = [engine.submit(LONG) for _ in range(2)]
    with pytest.raises(InvalidUtterance, match="cannot be said"):
        heard(engine.submit(say("unspeakable")))
    for other in others:
        assert np.array_equal(heard(other), expected("x" * 60, 1, 60))


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_one_that_fails_to_begin_ends_alone(start, error):
    engine = start(Runner(faults={"begin": raised(error, match="bad voice")}))
    streams = [engine.submit(LONG), engine.submit(say("bad voice")), engine.submit(LONG)]
    with pytest.raises((SynthesisFailed, EngineUnavailable)):
        heard(streams[1])
    for other in (streams[0], streams[2]):
        assert np.array_equal(heard(other), expected("x" * 60, 1, 60))


@pytest.mark.parametrize("phase", ["prefill", "emit", "advance"])
def test_a_step_that_fails_ends_who_runs_and_keeps_who_waits(start, phase):
    began = threading.Event()
    runner = Runner(slots=2, faults={"load": lambda slots: began.wait(5)})
    engine = start(runner, ready=False)
    running = [engine.submit(LONG) for _ in range(2)]
    waiting = engine.submit(say("waiting"))
    runner.faults[phase] = raised(RuntimeError)
    began.set()
    for stream in running:
        with pytest.raises(SynthesisFailed):
            heard(stream)
    assert np.array_equal(heard(waiting), expected("waiting", 1, 7))
    assert engine.stats().state is EngineState.READY
    assert np.array_equal(heard(engine.submit(say("later"))), expected("later", 1, 5))


def test_an_engine_whose_steps_fail_again_and_again_is_given_up(start):
    engine = start(Runner(faults={"emit": raised(RuntimeError, times=9)}))
    for _ in range(3):
        with pytest.raises((SynthesisFailed, EngineUnavailable)):
            heard(engine.submit(say("hello")))
    eventually(lambda: engine.stats().state is EngineState.FAILED)


@pytest.mark.parametrize("phase", ["begin", "prefill", "emit", "advance"])
def test_a_lost_device_ends_all_at_once(start, phase):
    runner = Runner(slots=1, faults={phase: raised(DeviceLost)})
    engine = start(runner)
    streams = [engine.submit(LONG) for _ in range(3)]
    for stream in streams:
        with pytest.raises(EngineUnavailable):
            heard(stream)
    assert engine.stats().state is EngineState.FAILED
    assert "release" not in [name for name, _ in runner.calls]


@pytest.mark.parametrize("phase", ["prefill", "emit", "advance"])
def test_out_of_memory_costs_the_longest_and_nobody_else(start, phase):
    runner = Runner()
    began = threading.Event()
    runner.faults["load"] = lambda slots: began.wait(5)
    engine = start(runner, ready=False)
    streams = [engine.submit(say("short one")), engine.submit(LONG), engine.submit(say("other"))]
    runner.faults[phase] = raised(MemoryError)
    began.set()
    with pytest.raises(EngineUnavailable, match="memory"):
        heard(streams[1])
    assert np.array_equal(heard(streams[0]), expected("short one", 1, 9))
    assert np.array_equal(heard(streams[2]), expected("other", 1, 5))


def test_out_of_memory_three_times_gives_the_model_up(start):
    engine = start(Runner(faults={"emit": raised(MemoryError, times=3)}))
    for stream in [engine.submit(LONG) for _ in range(4)]:
        with pytest.raises(EngineUnavailable):
            heard(stream)
    assert engine.stats().state is EngineState.FAILED


def spoil(times, value=np.nan, text=None):
    left = [times]

    def spoil(held, samples):
        if held.emitted == 1 and left[0] and text in (None, held.prompt.text):
            left[0] -= 1
            return np.full_like(samples, value)
        return samples

    return spoil


def test_a_bad_take_is_made_again_with_another_seed_and_others_hear_nothing_of_it(start):
    runner = Runner(faults={"spoil": spoil(1, text="hello")})
    engine = start(runner)
    other = engine.submit(LONG)
    stream = engine.submit(Utterance("hello"))
    assert np.array_equal(heard(stream), expected("hello", stream.seed, 5))
    seeds = [seed for text, seed in runner.draws if text == "hello"]
    assert len(seeds) == 2 and seeds[1] == stream.seed != seeds[0]
    assert np.array_equal(heard(other), expected("x" * 60, 1, 60))


def test_a_take_that_is_bad_twice_or_was_chosen_fails(start):
    runner = Runner(faults={"spoil": spoil(3)})
    engine = start(runner)
    with pytest.raises(SynthesisFailed):
        heard(engine.submit(Utterance("hello")))
    with pytest.raises(SynthesisFailed):
        heard(engine.submit(say("hello")))
    assert len(runner.draws) == 3


def test_a_seed_that_was_drawn_for_the_caller_is_no_choice(start):
    engine = start(Runner(faults={"spoil": spoil(1)}))
    drawn = Utterance("hello", params=SamplingParams(seed=5, drawn=True))
    assert len(heard(engine.submit(drawn))) == 5 * PATCH


def test_a_stream_that_runs_to_its_ceiling_ends_there_complete(start):
    engine = start(Runner(patches={"hello": 10_000}))
    stream = engine.submit(Utterance("hello"))
    assert len(heard(stream)) == (6 * 5 + 10) * PATCH
    assert stream.finish_reason is FinishReason.LENGTH


def test_a_whole_answer_that_ran_away_is_made_again_once(start):
    runner = Runner(patches={"hello": lambda attempt: 10_000 if attempt == 1 else 5})
    engine = start(runner)
    stream = engine.submit(Utterance("hello", whole=True))
    assert np.array_equal(heard(stream), expected("hello", stream.seed, 5))
    assert stream.finish_reason is FinishReason.STOP


def test_so_is_one_whose_text_has_more_tokens_than_signs(start):
    text = "မြန်မာ"
    runner = Runner(patches={text: lambda attempt: 10_000 if attempt == 1 else 5})
    stream = start(runner).submit(Utterance(text, whole=True))
    assert np.array_equal(heard(stream), expected(text, stream.seed, 5))
    assert len(runner.draws) == 2


@pytest.mark.parametrize("fields", [{"params": SamplingParams(seed=3)}, {}])
def test_a_whole_answer_that_runs_away_again_or_was_chosen_ends_at_its_ceiling(start, fields):
    engine = start(Runner(patches={"hello": 10_000}))
    stream = engine.submit(Utterance("hello", whole=True, **fields))
    assert len(heard(stream)) == 40 * PATCH
    assert stream.finish_reason is FinishReason.LENGTH


def test_a_ceiling_that_was_asked_for_is_no_runaway(start):
    runner = Runner(patches={"hello": 10_000})
    engine = start(runner)
    params = SamplingParams(max_new_tokens=3)
    stream = engine.submit(Utterance("hello", whole=True, params=params))
    assert len(heard(stream)) == 3 * PATCH
    assert len(runner.draws) == 1


def test_nothing_of_a_whole_answer_leaves_before_all_of_it_is_made(start):
    engine = start(Runner(step_seconds=0.005))
    stream = engine.submit(replace(LONG, whole=True))
    eventually(lambda: engine.stats().running == 1)
    while engine.stats().running:
        assert stream.buffered in (0, 60 * PATCH)
        time.sleep(0.01)
    assert np.array_equal(heard(stream), expected("x" * 60, 1, 60))
