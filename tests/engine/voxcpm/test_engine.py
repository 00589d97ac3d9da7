"""The real engine on tiny models: what comes out of its loop is what the official package makes,
and what goes wrong with one never reaches the others."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import psutil
import pytest
import torch

from speech.engine.errors import (
    EngineBusy,
    EngineUnavailable,
    InvalidUtterance,
    SynthesisFailed,
    UnsupportedByEngine,
)
from speech.engine.types import (
    EngineState,
    FinishReason,
    Priority,
    Recording,
    SamplingParams,
    Utterance,
    VoicePrompt,
)
from speech.engine.voxcpm.engine import VoxCPMEngine
from tests.engine.voxcpm.faulty import FaultyRunner, Gate, once
from tests.engine.waiting import eventually

CLOSE = 1e-5
TEXTS = ["Hello there.", "A second listener.", "And a third one here."]


def ready(engine):
    eventually(lambda: engine.stats().state in (EngineState.READY, EngineState.FAILED), 60)
    assert engine.stats().state is EngineState.READY, engine.stats().reason
    return engine


def start(checkpoint, **options):
    config = {"device": "cpu", "threads": 1, "slots": 4, "max_length": 256, **options}
    engine = VoxCPMEngine(model=str(checkpoint), **config)
    engine.start()
    return ready(engine)


@pytest.fixture(scope="module", params=[pytest.param("tiny_v1", marks=pytest.mark.slow), "tiny_v2"])
def loaded(request):
    engine = start(request.getfixturevalue(request.param))
    yield engine
    engine.stop()


@pytest.fixture
def engine(loaded):
    """Loaded once; each test has a FaultyRunner in front of its own and leaves it idle."""
    real = loaded._runner
    loaded._runner = FaultyRunner(real)
    if loaded.stats().state is not EngineState.READY:
        loaded.load()
        ready(loaded)
    yield loaded
    eventually(lambda: loaded.stats().running == loaded.stats().waiting == 0)
    loaded._runner = real
    loaded._memory_errors.clear()


def say(text, seed=7, patches=6, **fields):
    return Utterance(text, params=SamplingParams(seed=seed, max_new_tokens=patches), **fields)


def heard(stream):
    return np.concatenate([chunk.samples for chunk in stream])


@pytest.fixture(scope="module")
def alone(loaded):
    """What each text sounds like when nobody else speaks."""
    return {text: heard(loaded.submit(say(text))) for text in TEXTS}


def assert_same(audio, others):
    assert audio.shape == others.shape
    assert np.abs(audio - others).max() <= CLOSE


def test_it_knows_the_model_before_it_has_loaded_it(tiny_v1, tiny_v1_5, tiny_v2):
    infos = [VoxCPMEngine(model=str(path)).info for path in (tiny_v1, tiny_v1_5, tiny_v2)]
    assert [info.model for info in infos] == ["voxcpm-0.5b", "voxcpm1.5", "voxcpm2"]
    assert [info.names[1] for info in infos] == [
        "openbmb/VoxCPM-0.5B",
        "openbmb/VoxCPM1.5",
        "openbmb/VoxCPM2",
    ]
    assert [info.sample_rate for info in infos] == [16_000, 44_100, 48_000]
    assert ["instructions" in info.abilities for info in infos] == [False, False, True]
    assert all("clone" in info.abilities for info in infos)


def test_together_everybody_sounds_as_they_do_alone(engine, alone):
    streams = {text: engine.submit(say(text)) for text in TEXTS}
    for text, stream in streams.items():
        assert_same(heard(stream), alone[text])
        assert stream.seed == 7


def test_ten_threads_hear_their_own(engine, alone):
    wrong = []

    def speak(number):
        text = TEXTS[number % 3]
        audio = heard(engine.submit(say(text)))
        if audio.shape != alone[text].shape or np.abs(audio - alone[text]).max() > CLOSE:
            wrong.append(text)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


@pytest.mark.parametrize("phase", ["begin", "prefill", "emit", "advance"])
def test_who_leaves_is_gone_within_a_step_and_the_others_hear_nothing_of_it(engine, alone, phase):
    runner, gate = engine._runner, Gate()
    runner.before[phase] = gate
    leaver = engine.submit(say("I am leaving.", patches=40))
    assert gate.entered.wait(20)
    others = {text: engine.submit(say(text)) for text in TEXTS}
    del runner.before[phase]
    leaver.cancel()
    gate.open()
    for text, stream in others.items():
        assert_same(heard(stream), alone[text])


@pytest.mark.parametrize("phase", ["prefill", "emit", "advance"])
def test_a_step_that_fails_ends_who_runs_and_the_engine_goes_on(engine, alone, phase):
    engine._runner.before[phase] = once(RuntimeError("A fault."))
    with pytest.raises(SynthesisFailed):
        heard(engine.submit(say(TEXTS[0])))
    assert_same(heard(engine.submit(say(TEXTS[1]))), alone[TEXTS[1]])


def test_one_that_fails_to_begin_ends_alone(engine, alone):
    def strike(slot, prompt):
        if prompt.text == "Poison.":
            raise RuntimeError("A fault.")

    engine._runner.before["begin"] = strike
    streams = {text: engine.submit(say(text)) for text in [*TEXTS, "Poison."]}
    with pytest.raises(SynthesisFailed):
        heard(streams.pop("Poison."))
    for text, stream in streams.items():
        assert_same(heard(stream), alone[text])


@pytest.mark.parametrize("phase", ["prefill", "emit", "advance"])
def test_out_of_memory_costs_the_longest_and_its_mates_sound_the_same(engine, alone, phase):
    runner, gate = engine._runner, Gate()
    runner.before["begin"] = gate
    longest = engine.submit(say("By far the longest of all that are spoken now.", patches=40))
    assert gate.entered.wait(20)
    streams = {text: engine.submit(say(text)) for text in TEXTS}
    runner.before[phase] = once(torch.OutOfMemoryError("No memory."))
    del runner.before["begin"]
    gate.open()
    with pytest.raises(EngineUnavailable, match="memory"):
        heard(longest)
    for text, stream in streams.items():
        assert_same(heard(stream), alone[text])


def test_a_lost_device_fails_the_engine_at_once(tiny_v1):
    engine = start(tiny_v1)
    engine._runner = FaultyRunner(engine._runner)
    engine._runner.before["emit"] = once(RuntimeError("CUDA error: an illegal memory access"))
    for stream in [engine.submit(say(text)) for text in TEXTS]:
        with pytest.raises(EngineUnavailable):
            heard(stream)
    assert engine.stats().state is EngineState.FAILED
    engine.stop()


def spoil(value, times=1):
    """The first patch of slot 0 becomes ``value``, so often."""
    left = [times]

    def after(patches):
        if left[0] and patches[0].slot == 0:
            left[0] -= 1
            patches[0].samples[:] = value
        return patches

    return after


@pytest.mark.parametrize("value", [np.nan, np.inf, 100.0])
def test_a_bad_take_is_made_again_unheard_and_its_mates_sound_the_same(engine, alone, value):
    engine._runner.after["emit"] = spoil(value)
    params = SamplingParams(max_new_tokens=6)
    guarded = engine.submit(Utterance("Try again.", params=params))
    others = {text: engine.submit(say(text)) for text in TEXTS}
    audio = heard(guarded)
    assert np.isfinite(audio).all() and np.abs(audio).max() < 4
    assert_same(audio, heard(engine.submit(say("Try again.", seed=guarded.seed))))
    for text, stream in others.items():
        assert_same(heard(stream), alone[text])


def test_a_bad_take_of_a_chosen_seed_is_not_made_again(engine, alone):
    engine._runner.after["emit"] = spoil(np.nan)
    with pytest.raises(SynthesisFailed):
        heard(engine.submit(say("Never again.")))
    assert_same(heard(engine.submit(say(TEXTS[0]))), alone[TEXTS[0]])


def test_a_ceiling_ends_a_stream_complete(engine):
    stream = engine.submit(say("Hello.", patches=3))
    patch = 0.08 if engine.info.model == "voxcpm-0.5b" else 0.16
    assert len(heard(stream)) == round(3 * patch * engine.info.sample_rate)
    assert stream.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize("text", ["Hi.", "你好。", "🙂" * 9, "မြန်မာ", "สวัสดี" * 2, "𠮷" * 9])
def test_no_text_ends_before_the_packages_own_ceiling(engine, text):
    patch = 0.08 if engine.info.model == "voxcpm-0.5b" else 0.16
    most = engine._runner.prepare(Utterance(text), 0).max_patches
    assert most * patch <= engine.info.ceiling(text)


def test_it_refuses_what_does_not_fit_before_it_is_queued(engine):
    with pytest.raises(InvalidUtterance, match="too long"):
        engine.check(say("word " * 200))
    minute = Recording(np.zeros(60 * 16_000, np.float32), 16_000, "A whole minute.")
    with pytest.raises(InvalidUtterance, match="too long"):
        engine.check(say("Hello.", voice=VoicePrompt("long", prompt=minute)))
    with pytest.raises(InvalidUtterance):
        engine.check(say("Hello.", patches=0))
    engine.check(say("Hello."))


def test_only_voxcpm2_takes_a_reference_or_a_description(engine):
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    voices = [
        VoicePrompt("described", description="a calm man"),
        VoicePrompt("reference", reference=Recording(noise, 16_000)),
    ]
    for voice in voices:
        if engine.info.model == "voxcpm2":
            assert len(heard(engine.submit(say("Hello.", voice=voice))))
        else:
            with pytest.raises(UnsupportedByEngine):
                engine.check(say("Hello.", voice=voice))


def test_what_it_remembers_needs_no_encoding_when_it_is_the_prompt(engine, monkeypatch):
    stop_head = engine._runner.loaded.model.stop_head[-1].weight
    with torch.inference_mode():
        rare = stop_head[1, 0].item()
        stop_head[1, 0] = 100.0  # a take that comes to its end is worth remembering, no other
    encoded = []
    recordings = engine._runner.loaded.recordings
    monkeypatch.setattr(type(recordings), "features", lambda self, voice: encoded.append(voice))
    first = engine.submit(say("The first.", patches=60, remember="take 1"))
    recording = Recording(heard(first), engine.info.sample_rate, "The first.")
    assert first.finish_reason is FinishReason.STOP
    voice = VoicePrompt("take 1", prompt=recording)
    assert len(heard(engine.submit(say("The second.", voice=voice))))
    with torch.inference_mode():
        stop_head[1, 0] = rare
    assert not encoded


@pytest.mark.slow
def test_it_unloads_when_idle_refuses_to_while_it_works_and_comes_back_the_same(tiny_v1):
    engine = start(tiny_v1, idle_seconds=0.3)
    before = heard(engine.submit(say(TEXTS[0])))
    eventually(lambda: engine.stats().state is EngineState.COLD)
    assert engine._runner._loaded is None
    assert_same(heard(engine.submit(say(TEXTS[0]))), before)
    stream = engine.submit(say(TEXTS[1], patches=40))
    eventually(lambda: stream.buffered)
    with pytest.raises(EngineBusy):
        engine.unload()
    engine.stop()


@pytest.mark.slow
def test_an_unloaded_model_leaves_nothing_behind(tiny_v2):
    engine = start(tiny_v2, slots=128, max_length=4096)
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    heard(engine.submit(say("Hello.", voice=VoicePrompt("v", reference=Recording(noise, 16_000)))))
    model = engine._runner.loaded.model
    caches = [model.base_cache, model.residual_cache]
    size = sum(cache.keys.nbytes + cache.values.nbytes for cache in caches)
    kept, full = weakref.ref(model), psutil.Process().memory_info().rss
    del model, caches
    engine.unload()
    assert kept() is None
    freed = full - psutil.Process().memory_info().rss
    assert freed > 0.5 * size, f"{freed / 1e6:.0f} of {size / 1e6:.0f} MB"
    assert len(heard(engine.submit(say("Hello again."))))
    engine.stop()


def test_jobs_leave_a_quarter_of_the_slots_to_people(loaded):
    assert loaded.stats().slots == 4
    assert loaded._scheduler._interactive == 1


@pytest.mark.parametrize(
    ("slots", "asked", "kept"), [(1, None, 0), (2, None, 1), (3, 9, 2), (3, 0, 0), (3, -1, 0)]
)
def test_jobs_have_one_slot_however_few_there_are(tiny_v1, slots, asked, kept):
    engine = start(tiny_v1, slots=slots, interactive_slots=asked)
    assert engine._scheduler._interactive == kept
    jobs = [say(text, patches=2, priority=Priority.JOB) for text in TEXTS]
    assert all(len(heard(stream)) for stream in [engine.submit(job) for job in jobs])
    engine.stop()
