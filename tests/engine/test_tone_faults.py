"""The tone engine's fault switches, and what a caller gets when one is on."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from speech.engine.errors import EngineUnavailable, SynthesisFailed
from speech.engine.faults import Faults
from speech.engine.tone import ToneEngine
from speech.engine.types import EngineState, SamplingParams, Utterance

SEED = SamplingParams(seed=7)
BAD, GOOD = Utterance("a bad one", params=SEED), Utterance("a good one", params=SEED)


@pytest.fixture
def engine():
    engine = ToneEngine()
    engine.start()
    yield engine
    engine.stop()


def samples(stream):
    return np.concatenate([chunk.samples for chunk in stream])


def test_it_fails_one_stream_and_leaves_the_others_as_they_were(engine):
    golden = samples(engine.submit(GOOD))
    engine.set_faults(Faults(match="bad", raise_at=2))
    streams = [engine.submit(GOOD) for _ in range(7)]
    failing = engine.submit(BAD)
    reader = iter(failing)
    assert len(next(reader).samples) == len(next(reader).samples) == 1920
    with pytest.raises(SynthesisFailed):
        next(reader)
    for stream in streams:
        assert np.array_equal(samples(stream), golden)
    assert engine.stats().running == 0


def test_it_loses_its_device_for_good(engine):
    engine.set_faults(Faults(raise_at=1, sticky=True))
    with pytest.raises(EngineUnavailable):
        list(engine.submit(GOOD))
    assert engine.stats().state is EngineState.FAILED
    with pytest.raises(EngineUnavailable):
        engine.check(GOOD)
    engine.set_faults(Faults())
    engine.load()
    with pytest.raises(EngineUnavailable):
        list(engine.submit(GOOD))


def test_it_gives_up_the_longest_when_memory_runs_out(engine):
    engine.set_faults(Faults(match="bad", oom_at=2, times=1))
    longest = engine.submit(Utterance("x" * 400, params=SEED))
    stream = engine.submit(BAD)
    with pytest.raises(EngineUnavailable):
        list(longest)
    assert len(samples(stream)) > 0
    assert engine.stats().state is EngineState.READY


def test_it_fails_when_memory_runs_out_again_and_again(engine):
    engine.set_faults(Faults(oom_at=0))
    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            list(engine.submit(GOOD))
    assert engine.stats().state is EngineState.FAILED
    engine.set_faults(Faults())
    engine.load()
    assert len(samples(engine.submit(GOOD))) > 0


@pytest.mark.parametrize("faults", [Faults(nan_at=0), Faults(silent=True), Faults(short=1)])
def test_it_never_lets_bad_audio_pass_for_good(engine, faults):
    engine.set_faults(faults)
    for params in (SEED, SamplingParams()):
        with pytest.raises(SynthesisFailed):
            for chunk in engine.submit(Utterance("a bad one", params=params)):
                assert np.abs(chunk.samples).max() > 0.01


def test_it_stops_before_bad_audio_in_the_middle(engine):
    engine.set_faults(Faults(nan_at=2))
    chunks = []
    with pytest.raises(SynthesisFailed):
        for chunk in engine.submit(BAD):
            chunks.append(chunk)
    assert len(chunks) == 2
    assert np.isfinite(chunks[-1].samples).all()


def test_it_tries_once_more_when_the_caller_gave_no_seed(engine):
    engine.set_faults(Faults(nan_at=0, times=1))
    assert np.isfinite(samples(engine.submit(Utterance("a text")))).all()
    engine.set_faults(Faults(nan_at=0, times=1))
    with pytest.raises(SynthesisFailed):
        list(engine.submit(GOOD))


def test_it_shows_a_step_that_hangs(engine):
    assert engine.step_started is None
    engine.set_faults(Faults(match="bad", hang_at=1))
    before = time.monotonic()
    stream = engine.submit(BAD)
    next(iter(stream))
    deadline = time.monotonic() + 2
    while engine.step_started is None and time.monotonic() < deadline:
        time.sleep(0.005)
    started = engine.step_started
    time.sleep(0.05)
    assert engine.step_started == started
    assert before <= started
    assert engine.stats().state is EngineState.READY, "asking must not wait for the step"


def test_it_slows_down(engine):
    engine.set_faults(Faults(slow=0.02))
    began = time.monotonic()
    chunks = list(engine.submit(GOOD))
    assert time.monotonic() - began >= 0.02 * len(chunks)


def test_it_fails_to_load_as_often_as_asked():
    engine = ToneEngine()
    engine.set_faults(Faults(load_fail=1))
    engine.start()
    try:
        with pytest.raises(EngineUnavailable):
            list(engine.submit(GOOD))
        assert engine.stats().state is EngineState.FAILED
        assert "load" in engine.stats().reason
        engine.load()
        assert len(samples(engine.submit(GOOD))) > 0
    finally:
        engine.stop()


def test_it_kills_its_process():
    script = (
        "from speech.engine.faults import Faults\n"
        "from speech.engine.tone import ToneEngine\n"
        "from speech.engine.types import Utterance\n"
        "engine = ToneEngine()\n"
        "engine.set_faults(Faults(die_at=1))\n"
        "engine.start()\n"
        "for chunk in engine.submit(Utterance('a text')): print('chunk', flush=True)\n"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=20)
    assert child.returncode == -9
    assert child.stdout.count(b"chunk") <= 1
