"""The tone engine: the same sound for the same request, as long as the text."""

from __future__ import annotations

import numpy as np
import pytest

from speech.engine.errors import UnsupportedByEngine
from speech.engine.registry import create_engine
from speech.engine.tone import SAMPLE_RATE, ToneEngine
from speech.engine.types import (
    Ability,
    EngineState,
    FinishReason,
    Recording,
    SamplingParams,
    Utterance,
    VoicePrompt,
)

TEXT = "Hello brave new world."
SEED = SamplingParams(seed=7)


@pytest.fixture
def engine():
    engine = ToneEngine()
    engine.start()
    yield engine
    engine.stop()


def say(engine, text=TEXT, params=SEED, **fields):
    stream = engine.submit(Utterance(text, params=params, **fields))
    chunks = list(stream)
    return stream, np.concatenate([chunk.samples for chunk in chunks]), chunks


def test_it_is_found_by_name():
    engine = create_engine("tone", {"slots": 3})
    assert engine.info.model == "tone"
    assert engine.stats().slots == 3


def test_it_plays_the_same_for_the_same_text_voice_and_seed(engine):
    _, first, _ = say(engine)
    _, second, _ = say(engine)
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Hello brave old world."},
        {"params": SamplingParams(seed=8)},
        {"params": SamplingParams(seed=7, cfg_value=3.0)},
        {"params": SamplingParams(seed=7, inference_timesteps=4)},
        {"voice": VoicePrompt("marin", preset="marin")},
        {"style": "whispering"},
    ],
)
def test_it_plays_something_else_for_anything_else(engine, other):
    _, first, _ = say(engine)
    _, second, _ = say(engine, **other)
    assert not np.array_equal(first, second)


def test_it_reports_the_seed_it_drew(engine):
    stream, first, _ = say(engine, params=SamplingParams())
    _, again, _ = say(engine, params=SamplingParams(seed=stream.seed))
    assert np.array_equal(first, again)


def test_its_signal_does_not_depend_on_the_length_of_a_chunk(engine):
    _, expected, _ = say(engine)
    other = ToneEngine(chunk_seconds=0.013)
    other.start()
    try:
        _, samples, _ = say(other)
    finally:
        other.stop()
    assert np.array_equal(samples, expected)


def test_it_takes_time_in_proportion_to_the_text_and_stays_below_the_ceiling(engine):
    for text in ("", "a", "abc", TEXT, TEXT * 8):
        stream, samples, _ = say(engine, text=text)
        seconds = len(samples) / SAMPLE_RATE
        assert seconds == pytest.approx(max(0.24, 0.06 * len(text)))
        assert seconds <= engine.info.ceiling(text)
        assert stream.finish_reason is FinishReason.STOP


def test_it_makes_chunks_of_80_ms(engine):
    _, _, chunks = say(engine)
    assert {len(chunk.samples) for chunk in chunks[:-1]} == {1920}


def test_it_marks_every_word_where_it_sounds(engine):
    _, _, chunks = say(engine)
    marks = [mark for chunk in chunks for mark in chunk.marks]
    assert [TEXT[m.offset : m.offset + m.length] for m in marks] == TEXT.split()
    end = 0.0
    for chunk in chunks:
        start, end = end, end + len(chunk.samples) / SAMPLE_RATE
        assert all(start <= mark.time < end for mark in chunk.marks)


def test_it_is_heard_and_never_clips(engine):
    _, samples, _ = say(engine)
    assert 0.05 < np.sqrt(np.mean(samples**2)) < 0.5
    assert np.abs(samples).max() < 1


def test_it_stops_after_the_tokens_it_may_make(engine):
    stream, samples, _ = say(engine, params=SamplingParams(seed=7, max_new_tokens=3))
    assert len(samples) == round(0.24 * SAMPLE_RATE)
    assert stream.finish_reason is FinishReason.LENGTH


def test_it_refuses_to_clone_and_to_design(engine):
    recording = Recording(np.zeros(10, np.float32), 16_000)
    for voice in (VoicePrompt("a", reference=recording), VoicePrompt("b", description="deep")):
        with pytest.raises(UnsupportedByEngine) as error:
            engine.check(Utterance(TEXT, voice=voice))
        assert error.value.param == "voice"
    assert not engine.info.abilities & {Ability.CLONE, Ability.DESIGN}


def test_it_is_ready_after_start(engine):
    say(engine)
    assert engine.stats().state is EngineState.READY
