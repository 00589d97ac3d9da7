"""How a long text is asked for: heard in order, made ahead, in one voice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from speech.engine.errors import SynthesisFailed
from speech.engine.types import (
    Ability,
    EngineState,
    Priority,
    Recording,
    SamplingParams,
    Utterance,
    VoicePrompt,
)
from speech.recital import Recital
from tests.engine.patches import PATCH, RATE, PatchEngine, Runner, expected
from tests.engine.waiting import eventually

TEXTS = ["The first sentence.", "A second one here.", "And a third, longer one.", "Four.", "Five."]
CLONES = replace(PatchEngine.info, abilities=PatchEngine.info.abilities | {Ability.CLONE})
VOICE = VoicePrompt("voice", reference=Recording(np.zeros(RATE, np.float32), RATE))


class Desk:
    """Takes utterances to an engine and remembers them."""

    def __init__(self, engine):
        self.engine = engine
        self.asked = []
        self.streams = []

    def submit(self, utterance):
        self.asked.append(utterance)
        self.streams.append(self.engine.submit(utterance))
        return self.streams[-1]


@pytest.fixture
def desk():
    runner = Runner(step_seconds=0.003)
    engine = PatchEngine(runner)
    engine.start()
    eventually(lambda: engine.stats().state is EngineState.READY)
    yield Desk(engine)
    engine.stop()


def utterances(texts=TEXTS, **fields):
    return [Utterance(text, params=SamplingParams(seed=1), **fields) for text in texts]


def whole(texts=TEXTS):
    return np.concatenate([expected(text, 1, len(text)) for text in texts])


async def listen(recital):
    return [part async for part in recital.parts()]


def audio(parts):
    return np.concatenate([part.chunk.samples for part in parts])


async def test_a_text_is_heard_in_order_however_many_are_made_at_a_time(desk):
    parts = await listen(Recital(utterances(), PatchEngine.info, 4, desk.submit))
    assert np.array_equal(audio(parts), whole())
    assert [part.index for part in parts] == sorted(part.index for part in parts)
    assert [one.text for one in desk.asked] == TEXTS


async def test_the_next_ones_are_made_ahead_once_the_first_is_heard(desk):
    recital = Recital(utterances(), PatchEngine.info, 4, desk.submit)
    parts = recital.parts()
    await anext(parts)
    assert len(desk.asked) == 1, "its first sound comes before anything else"
    await anext(parts)
    assert [one.ahead for one in desk.asked] == [False, True, True, True]
    assert {one.priority for one in desk.asked[1:]} == {Priority.CONTINUATION}
    eventually(lambda: desk.engine.stats().running == 4)
    await parts.aclose()


async def test_one_after_the_other_when_nothing_is_to_be_made_ahead(desk):
    parts = await listen(Recital(utterances(), PatchEngine.info, 1, desk.submit))
    assert np.array_equal(audio(parts), whole())
    assert not any(one.ahead for one in desk.asked)
    assert {one.priority for one in desk.asked[1:]} == {Priority.CONTINUATION}


async def test_nothing_is_made_ahead_for_a_reader_who_does_not_keep_up(desk):
    desk.engine._runner.step_seconds = 0
    parts = Recital(utterances(["x" * 40, *TEXTS]), PatchEngine.info, 4, desk.submit).parts()
    await anext(parts)
    eventually(lambda: desk.streams[0].buffered >= RATE)
    await anext(parts)
    assert len(desk.asked) == 1
    await parts.aclose()


async def test_a_voice_of_nobody_keeps_the_timbre_of_its_first_utterance(desk):
    parts = await listen(Recital(utterances(style="calm"), CLONES, 4, desk.submit))
    assert np.array_equal(audio(parts), whole())
    first, *rest = desk.asked
    assert first.voice is None and first.remember and first.style == "calm"
    for one in rest:
        assert one.voice.key == first.remember and one.style is None and one.remember is None
        assert one.voice.prompt.transcript == TEXTS[0] + " "
        assert np.array_equal(one.voice.prompt.samples, expected(TEXTS[0], 1, len(TEXTS[0])))


async def test_a_first_utterance_that_is_too_short_lends_no_timbre(desk):
    await listen(Recital(utterances(["Oh.", *TEXTS]), CLONES, 4, desk.submit))
    assert [one.voice is None for one in desk.asked] == [True, True, False, False, False, False]
    assert desk.asked[2].voice.prompt.transcript == TEXTS[0] + " "


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["你好，我的朋友们。", "再见。"], "你好，我的朋友们。"),
        (["おはようございます。", "さようなら。"], "おはようございます。"),
        (["안녕하세요 여러분.", "안녕히."], "안녕하세요 여러분. "),
        (["สวัสดีครับทุกคน", "ลาก่อน"], "สวัสดีครับทุกคน "),
    ],
)
async def test_what_was_heard_and_what_follows_are_joined_as_they_are_written(desk, texts, said):
    await listen(Recital(utterances(texts), CLONES, 2, desk.submit))
    assert desk.asked[1].voice.prompt.transcript == said


async def test_a_voice_of_somebody_is_on_every_utterance(desk):
    await listen(Recital(utterances(voice=VOICE), CLONES, 4, desk.submit))
    assert [one.voice for one in desk.asked] == [VOICE] * 5
    assert not any(one.remember for one in desk.asked)


async def test_a_job_makes_ahead_at_its_own_priority(desk):
    job = utterances(priority=Priority.JOB, whole=True)
    parts = await listen(Recital(job, PatchEngine.info, 3, desk.submit))
    assert np.array_equal(audio(parts), whole())
    assert {one.priority for one in desk.asked} == {Priority.JOB}
    assert [one.ahead for one in desk.asked] == [False, True, True, True, True]


async def test_an_utterance_that_fails_ends_the_text_where_it_stands(desk):
    desk.engine._runner.faults["spoil"] = lambda held, samples: (
        np.full(PATCH, np.nan, np.float32) if held.prompt.text == TEXTS[1] else samples
    )
    heard = []
    with pytest.raises(SynthesisFailed):
        async for part in Recital(utterances(), PatchEngine.info, 4, desk.submit).parts():
            heard.append(part)
    assert np.array_equal(audio(heard), expected(TEXTS[0], 1, len(TEXTS[0])))
