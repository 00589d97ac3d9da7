"""Whatever becomes of the child, everybody who waits is answered and it comes back."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

import numpy as np
import pytest

from speech.engine.errors import EngineUnavailable, SynthesisFailed
from speech.engine.faults import Faults
from speech.engine.hosts.process import ProcessHost
from speech.engine.hosts.supervisor import Limits
from speech.engine.types import EngineState, SamplingParams, Utterance
from tests.engine.waiting import eventually

GOOD = Utterance("A good request.", params=SamplingParams(seed=3))
LONG = Utterance("A long one that goes on. " * 20)


@pytest.fixture
def make_host():
    hosts = []

    def make(config=None, **limits):
        host = ProcessHost("tone", config, limits=Limits(**limits))
        hosts.append(host)
        host.start()
        eventually(lambda: host.stats().state is EngineState.READY)
        return host

    yield make
    for host in hosts:
        host.stop()


def speak(host, utterance=GOOD):
    return np.concatenate([chunk.samples for chunk in host.submit(utterance)])


def read_all(streams):
    """Read every stream on a thread of its own; the errors, and when the last one came."""
    errors = [None] * len(streams)
    finished = [0.0] * len(streams)

    def read(index):
        try:
            list(streams[index])
        except EngineUnavailable as error:
            errors[index] = error
        finished[index] = time.monotonic()

    threads = [threading.Thread(target=read, args=[index]) for index in range(len(streams))]
    for thread in threads:
        thread.start()

    def answered():
        for thread in threads:
            thread.join(20)
        return errors, max(finished)

    return answered


def comes_back(host, golden, restarts=1):
    eventually(lambda: host.stats().restarts >= restarts, 15)
    eventually(lambda: host.stats().state is EngineState.READY, 15)
    np.testing.assert_array_equal(speak(host), golden)


def test_it_fails_one_utterance_and_leaves_its_neighbours_alone(make_host):
    host = make_host()
    golden = speak(host)
    host.set_faults(Faults(match="bad", raise_at=2))
    streams = [host.submit(GOOD) for _ in range(7)]
    with pytest.raises(SynthesisFailed):
        list(host.submit(Utterance("A bad request.")))
    for stream in streams:
        np.testing.assert_array_equal(np.concatenate([c.samples for c in stream]), golden)
    assert host.stats().restarts == 0


def test_it_answers_fifty_waiters_at_once_when_the_child_is_killed(make_host):
    host = make_host({"speed": 8.0, "slots": 20})
    golden = speak(host)
    answered = read_all([host.submit(LONG) for _ in range(50)])
    time.sleep(0.3)
    killed = time.monotonic()
    os.kill(host.pid, signal.SIGKILL)
    errors, last = answered()
    assert all(isinstance(error, EngineUnavailable) for error in errors)
    assert last - killed < 1.0
    comes_back(host, golden)


def test_it_comes_back_after_the_engine_killed_its_own_process(make_host):
    host = make_host()
    golden, info = speak(host), host.info
    host.set_faults(Faults(die_at=3))
    with pytest.raises(EngineUnavailable) as death:
        speak(host)
    assert death.value.retry_after >= 1
    assert host.info == info
    comes_back(host, golden)


def test_it_kills_a_hanging_child_shows_its_stacks_and_answers_in_time(make_host, caplog):
    host = make_host({"slots": 20}, step=1.0)
    golden = speak(host)
    host.set_faults(Faults(hang_at=1))
    hung = time.monotonic()
    answered = read_all([host.submit(LONG) for _ in range(50)])
    time.sleep(0.5)
    asked = time.monotonic()
    assert host.stats().state is EngineState.READY
    host.check(GOOD)
    assert time.monotonic() - asked < 0.25
    with caplog.at_level(logging.WARNING, "speech.engine"):
        errors, last = answered()
        eventually(lambda: host.stats().restarts == 1)
    assert all(isinstance(error, EngineUnavailable) for error in errors)
    assert last - hung < 1.0 + 2.0
    assert "tone.py" in caplog.text
    assert "took too long" in caplog.text
    comes_back(host, golden)


@pytest.mark.slow
def test_it_kills_a_child_that_has_fallen_silent(make_host):
    host = make_host({"speed": 8.0}, silence=1.0)
    golden = speak(host)
    pid = host.pid
    streams = [host.submit(LONG) for _ in range(3)]
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    errors, last = read_all(streams)()
    assert all(errors)
    assert last - started < 1.0 + 2.0
    comes_back(host, golden)
    assert host.pid != pid


def test_it_replaces_a_child_whose_device_is_lost(make_host):
    host = make_host()
    golden = speak(host)
    host.set_faults(Faults(raise_at=1, sticky=True))
    with pytest.raises(EngineUnavailable):
        speak(host)
    comes_back(host, golden)


def test_it_replaces_a_child_that_runs_out_of_memory_again_and_again(make_host):
    host = make_host()
    golden = speak(host)
    host.set_faults(Faults(oom_at=0))
    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            speak(host)
    comes_back(host, golden)


def test_it_is_not_ready_while_a_load_fails_and_tries_again(make_host):
    host = make_host()
    golden = speak(host)
    host.unload()
    host.set_faults(Faults(load_fail=1))
    host.load()
    eventually(lambda: host.stats().restarts == 1)
    comes_back(host, golden)


def test_it_never_delivers_anything_of_an_earlier_generation(make_host):
    host = make_host({"speed": 40.0})
    utterance = Utterance(LONG.text, params=GOOD.params)
    reader = iter(host.submit(utterance))
    heard = [next(reader)]
    os.kill(host.pid, signal.SIGKILL)
    comes_back(host, speak(make_host()))
    again = host.submit(utterance)
    with pytest.raises(EngineUnavailable):
        heard.extend(reader)
    old, new = (np.concatenate([chunk.samples for chunk in chunks]) for chunks in (heard, again))
    assert len(old) < len(new)
    np.testing.assert_array_equal(old, new[: len(old)])


@pytest.mark.slow
def test_it_says_failed_in_a_crash_loop_and_goes_on_trying(make_host):
    host = make_host(backoff=0.7)
    golden = speak(host)
    for crash in range(1, 6):
        os.kill(eventually_pid(host), signal.SIGKILL)
        if crash == 5:
            eventually(lambda: host.stats().state is EngineState.FAILED)
            assert host.stats().reason
            with pytest.raises(EngineUnavailable) as down:
                host.check(GOOD)
            assert down.value.retry_after >= 1
        eventually(lambda crash=crash: host.stats().restarts == crash)
    comes_back(host, golden, restarts=5)


def eventually_pid(host):
    eventually(lambda: host.pid is not None)
    return host.pid


def test_it_answers_calls_that_wait_when_the_child_dies(make_host):
    host = make_host(silence=30.0)
    os.kill(host.pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, [host.pid, signal.SIGKILL]).start()
    started = time.monotonic()
    with pytest.raises(EngineUnavailable):
        host.check(GOOD)
    assert time.monotonic() - started < 1.3


@pytest.mark.slow
def test_it_does_not_wait_for_an_answer_for_ever(make_host):
    host = make_host(silence=30.0)
    os.kill(host.pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(EngineUnavailable):
        host.check(GOOD)
    assert time.monotonic() - started < 2.5
    os.kill(host.pid, signal.SIGCONT)
    host.check(GOOD)
