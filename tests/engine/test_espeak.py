"""The espeak-ng engine as every engine: streams, word marks, ceilings, cancelling, many threads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from speech.engine.errors import EngineBusy, UnsupportedByEngine
from speech.engine.espeak import EspeakEngine
from speech.engine.registry import create_engine
from speech.engine.types import (
    Ability,
    EngineState,
    FinishReason,
    Recording,
    Utterance,
    VoicePrompt,
)
from tests.engine.acoustics import rms
from tests.engine.waiting import eventually

RATE = 22_050
TEXT = "The quick brown fox jumps over the lazy dog."


@pytest.fixture(scope="module")
def engine():
    engine = EspeakEngine()
    engine.start()
    yield engine
    engine.stop()


def say(engine, text, language=None, **fields):
    utterance = Utterance(text, language=language, **fields)
    engine.check(utterance)
    stream = engine.submit(utterance)
    chunks = list(stream)
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return samples, [mark for chunk in chunks for mark in chunk.marks], stream


def test_it_is_found_by_name():
    engine = create_engine("espeak", {"slots": 3})
    assert engine.info.model == "espeak-ng"
    assert engine.info.sample_rate == RATE
    assert engine.stats().slots == 3


def test_it_speaks(engine):
    samples, _, stream = say(engine, TEXT, "en")
    assert samples.dtype == np.float32
    assert 2 < len(samples) / RATE < 4
    assert 0.03 < rms(samples) < 0.3
    assert np.abs(samples).max() <= 1
    assert stream.finish_reason is FinishReason.STOP
    assert stream.seed is None


def test_its_first_chunk_comes_before_the_last_is_made(engine):
    stream = engine.submit(Utterance(TEXT * 4))
    chunks = list(stream)
    assert max(len(chunk.samples) for chunk in chunks) <= 0.16 * RATE
    assert len(chunks) > 50


def test_it_marks_every_word_where_it_sounds(engine):
    samples, marks, _ = say(engine, TEXT, "en")
    words = [TEXT[mark.offset : mark.offset + mark.length] for mark in marks]
    assert words == TEXT.rstrip(".").split()
    times = [mark.time for mark in marks]
    assert times == sorted(times)
    assert times[0] < 0.1
    assert times[-1] < len(samples) / RATE


def test_its_marks_count_code_points_of_the_whole_text(engine):
    text = "Ça 😀 va: 北京 и Москва, ok."
    _, marks, _ = say(engine, text, "fr")
    words = [text[mark.offset : mark.offset + mark.length] for mark in marks]
    assert {"Ça", "va", "北", "Москва", "ok"} <= set(words)
    assert [mark.offset for mark in marks] == sorted({mark.offset for mark in marks})
    assert [mark.time for mark in marks] == sorted(mark.time for mark in marks)


def test_mark_up_is_text(engine):
    plain, _, _ = say(engine, "Hello", "en")
    phonemes, _, _ = say(engine, "[[h@l'oU]]", "en")
    ssml, _, _ = say(engine, '<speak><break time="9s"/>Hello</speak>', "en")
    assert len(phonemes) > 2 * len(plain)
    assert 2 * len(plain) < len(ssml) < 9 * RATE


def test_it_ends_at_the_ceiling(engine):
    samples, _, stream = say(engine, "⠿" * 40, "en")
    assert len(samples) == int(engine.info.ceiling("⠿" * 40) * RATE)
    assert stream.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize(
    "text", ["1234567890" * 5, "%&@#$+=" * 8, "www.x.y/z?q=1&r=2 " * 3, "9" * 100, "W. " * 40]
)
def test_its_ceiling_is_above_what_is_slow_to_say(engine, text):
    voice = VoicePrompt("ballad", preset="ballad")
    for language in ("en", "de", "zh"):
        _, _, stream = say(engine, text, language, voice=voice)
        assert stream.finish_reason is FinishReason.STOP


def test_it_cannot_clone_nor_design(engine):
    recording = Recording(np.zeros(10, np.float32), RATE)
    for voice in (
        VoicePrompt("a", reference=recording),
        VoicePrompt("b", prompt=recording),
        VoicePrompt("c", description="a deep voice"),
        VoicePrompt("d", preset="nobody"),
    ):
        with pytest.raises(UnsupportedByEngine) as error:
            engine.check(Utterance(TEXT, voice=voice))
        assert error.value.param == "voice"
    assert engine.info.abilities == {Ability.MARKS}


def test_a_style_does_not_hinder_it(engine):
    samples, _, _ = say(engine, TEXT, "en", style="whisper")
    assert len(samples) > RATE


def test_it_stops_when_its_listener_leaves(engine):
    stream = engine.submit(Utterance(TEXT * 40))
    next(iter(stream))
    assert stream.cancelled
    assert eventually(lambda: engine.stats().running == 0) < 0.25


def test_it_serves_many_threads_at_once(engine):
    lengths = []

    def speak(text):
        for _ in range(15):
            lengths.append(len(say(engine, text)[0]))

    texts = [TEXT, "你好，世界。", "Grüße!", "Hola, ¿qué tal?"] * 2
    threads = [threading.Thread(target=speak, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(lengths) == 15 * 8
    assert min(lengths) > 0.3 * RATE
    assert engine.stats().running == engine.stats().waiting == 0


def test_it_bounds_what_listeners_who_do_not_listen_cost(engine):
    alone = len(say(engine, TEXT * 4)[0])
    streams = [engine.submit(Utterance(TEXT * 4)) for _ in range(100)]
    eventually(lambda: engine.stats().waiting == 0 and engine.step_started is None)
    time.sleep(0.2)
    held = sum(4 * stream.buffered for stream in streams)
    assert 8 * 1024**2 < held < 30 * 1024**2, "whole they would be 90 MB"
    heard = sum(len(chunk.samples) for chunk in streams.pop())
    assert heard == pytest.approx(alone, rel=0.02), "nothing may be lost or said twice"
    for stream in streams:
        stream.cancel()
    eventually(lambda: engine.stats().running == 0)
    assert engine._lookahead.held == 0


def test_it_refuses_what_its_queue_cannot_hold():
    engine = EspeakEngine(slots=1, max_waiting=1)
    engine.start()
    try:
        streams = [engine.submit(Utterance(TEXT * 40)) for _ in range(2)]
        eventually(lambda: engine.stats().waiting == 1)
        with pytest.raises(EngineBusy):
            engine.check(Utterance(TEXT))
        for stream in streams:
            stream.cancel()
        eventually(lambda: engine.stats().waiting == engine.stats().running == 0)
    finally:
        engine.stop()


def test_it_unloads_and_loads_again():
    engine = EspeakEngine()
    engine.start()
    try:
        say(engine, TEXT)
        engine.unload()
        assert engine.stats().state is EngineState.COLD
        assert len(say(engine, TEXT)[0]) > RATE
    finally:
        engine.stop()
