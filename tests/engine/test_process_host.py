"""An engine in a child process is the engine itself, as far as anybody can tell."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from speech.engine.errors import EngineUnavailable, InvalidUtterance, UnsupportedByEngine
from speech.engine.faults import Faults
from speech.engine.hosts.process import ProcessHost
from speech.engine.tone import ToneEngine
from speech.engine.types import (
    EngineState,
    FinishReason,
    Recording,
    SamplingParams,
    Utterance,
    VoicePrompt,
)
from tests.engine.waiting import eventually

TEXT = "The quick brown fox jumps over the lazy dog."


@pytest.fixture(scope="module")
def host():
    host = ProcessHost("tone")
    host.start()
    eventually(lambda: host.stats().state is EngineState.READY)
    yield host
    host.stop()


@pytest.fixture
def bare():
    engine = ToneEngine()
    engine.start()
    yield engine
    engine.stop()


def samples(chunks):
    return np.concatenate([chunk.samples for chunk in chunks])


def test_it_knows_the_engine_as_soon_as_it_has_started(host, bare):
    assert host.info == bare.info
    assert host.pid


def test_it_sounds_exactly_like_the_engine_it_carries(host, bare):
    utterance = Utterance(TEXT, params=SamplingParams(seed=11))
    carried, direct = host.submit(utterance), bare.submit(utterance)
    carried_chunks, direct_chunks = list(carried), list(direct)
    np.testing.assert_array_equal(samples(carried_chunks), samples(direct_chunks))
    assert [c.marks for c in carried_chunks] == [c.marks for c in direct_chunks]
    assert (carried.seed, carried.finish_reason) == (11, FinishReason.STOP)


def test_it_reports_the_seed_the_engine_drew_and_a_reached_ceiling(host):
    stream = host.submit(Utterance(TEXT, params=SamplingParams(max_new_tokens=3)))
    assert len(samples(stream)) == round(3 * 0.08 * 24000)
    assert stream.seed is not None
    assert stream.finish_reason is FinishReason.LENGTH


async def test_it_streams_to_a_coroutine(host):
    chunks = [chunk async for chunk in host.submit(Utterance(TEXT))]
    assert len(chunks) > 10


def test_it_refuses_with_the_engines_own_words(host, bare):
    clone = VoicePrompt("k", reference=Recording(np.zeros(24000, np.float32), 24000))
    for utterance in (
        Utterance(TEXT, clone),
        Utterance(TEXT, params=SamplingParams(max_new_tokens=0)),
    ):
        with pytest.raises(InvalidUtterance) as direct:
            bare.check(utterance)
        with pytest.raises(type(direct.value)) as carried:
            host.check(utterance)
        assert vars(carried.value) == vars(direct.value)
    host.check(Utterance(TEXT))


def test_it_carries_recordings_that_no_socket_buffer_holds(host):
    two_minutes = Recording(np.ones(120 * 48_000, np.float32), 48_000)
    with pytest.raises(UnsupportedByEngine):
        host.check(Utterance(TEXT, VoicePrompt("k", reference=two_minutes)))


def test_it_refuses_recordings_that_no_frame_holds(host):
    endless = Recording(np.broadcast_to(np.float32(0), 17_000_000), 48_000)
    utterance = Utterance(TEXT, VoicePrompt("k", reference=endless))
    with pytest.raises(InvalidUtterance, match="too long"):
        host.check(utterance)
    with pytest.raises(InvalidUtterance, match="too long"):
        list(host.submit(utterance))
    assert host.buffered == 0
    host.check(Utterance(TEXT))


def test_it_needs_a_configuration_that_can_be_sent():
    with pytest.raises(TypeError):
        ProcessHost("tone", {"slots": object()})


def test_it_carries_espeak_and_says_that_it_has_no_fault_switches():
    host = ProcessHost("espeak")
    host.start()
    try:
        chunks = list(host.submit(Utterance("Hello there.", language="en")))
        assert sum(len(chunk.samples) for chunk in chunks) > host.info.sample_rate / 4
        assert any(chunk.marks for chunk in chunks)
        with pytest.raises(UnsupportedByEngine):
            host.set_faults(Faults())
    finally:
        host.stop()


def test_it_unloads_and_loads_the_model(host):
    host.unload()
    assert host.stats().state is EngineState.COLD
    host.load()
    eventually(lambda: host.stats().state is EngineState.READY)


async def test_it_speaks_three_hundred_utterances_at_once_on_one_thread():
    async def length(stream):
        return sum([len(chunk.samples) async for chunk in stream])

    before = threading.active_count()
    host = ProcessHost("tone", {"speed": 1.0, "slots": 300})
    host.start()
    try:
        streams = [host.submit(Utterance("300 at once.")) for _ in range(300)]
        assert threading.active_count() <= before + 1
        with open(f"/proc/{host.pid}/status") as status:
            threads = next(line for line in status if line.startswith("Threads:"))
        assert int(threads.split()[1]) < 10
        assert set(await asyncio.gather(*map(length, streams))) == {17280}
        assert host.buffered == 0
    finally:
        host.stop()


def test_it_says_what_is_wrong_when_the_engine_cannot_be_made():
    host = ProcessHost("tone", {"no_such_option": 1})
    host.start()
    try:
        with pytest.raises(EngineUnavailable):
            _ = host.info
        with pytest.raises(EngineUnavailable):
            host.check(Utterance(TEXT))
        with pytest.raises(EngineUnavailable):
            list(host.submit(Utterance(TEXT)))
        assert host.stats().reason
    finally:
        host.stop()


def test_it_ends_its_streams_when_it_is_stopped_and_can_be_started_again():
    host = ProcessHost("tone", {"speed": 1.0})
    assert host.stats().state is EngineState.STOPPED
    with pytest.raises(EngineUnavailable):
        host.check(Utterance(TEXT))
    host.start()
    stream = host.submit(Utterance(TEXT))
    host.stop()
    with pytest.raises(EngineUnavailable):
        list(stream)
    assert host.stats().state is EngineState.STOPPED
    host.stop()
    host.start()
    assert list(host.submit(Utterance("Hi.")))
    host.stop()
