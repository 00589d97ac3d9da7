"""The built-in voices can be told apart and are about equally loud."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from speech.engine.espeak import EspeakEngine
from speech.engine.espeak_voices import VOICES
from speech.engine.types import Utterance, VoicePrompt
from tests.engine.acoustics import pitch, rms, semitones, spectral_distance, spectrum

pytestmark = pytest.mark.slow

RATE = 22_050
NAMES = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()
TEXTS = {
    "en": "The quick brown fox jumps over the lazy dog, and she sells sea shells.",
    "zh": "今天天气很好，我们一起去公园散步吧。",
}

LEAST_SEMITONES, LEAST_DECIBELS = 1.0, 3.0
"""Two voices differ at least so much in pitch, or in their mean spectrum."""


@pytest.fixture(scope="module")
def spoken():
    engine = EspeakEngine()
    engine.start()
    yield {
        (name, language): np.concatenate(
            [
                chunk.samples
                for chunk in engine.submit(
                    Utterance(text, language=language, voice=VoicePrompt(name, preset=name))
                )
            ]
        )
        for language, text in TEXTS.items()
        for name in [*NAMES, "alloy"]
    }
    engine.stop()


def test_there_are_the_thirteen_of_the_openai_api():
    assert sorted(VOICES) == NAMES


@pytest.mark.parametrize("language", TEXTS)
def test_every_two_differ_in_pitch_or_spectrum(spoken, language):
    heard = {
        name: (pitch(spoken[name, language], RATE), spectrum(spoken[name, language], RATE))
        for name in NAMES
    }
    alike = [
        (first, second)
        for first, second in combinations(NAMES, 2)
        if semitones(heard[first][0], heard[second][0]) < LEAST_SEMITONES
        and spectral_distance(heard[first][1], heard[second][1]) < LEAST_DECIBELS
    ]
    assert alike == []


def test_they_differ_in_pace(spoken):
    lengths = {len(spoken[name, "en"]) for name in NAMES}
    assert max(lengths) > 1.1 * min(lengths)


@pytest.mark.parametrize("language", TEXTS)
def test_all_are_about_equally_loud_and_none_is_cut_off(spoken, language):
    levels = [rms(spoken[name, language]) for name in NAMES]
    assert max(levels) < 2.5 * min(levels)
    assert all(np.abs(spoken[name, language]).max() < 1 for name in NAMES)
