"""What stands before any text of a voice, its reference and its transcript, is read in once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.voxcpm.takes import Take, make_runner, speak

pytestmark = pytest.mark.slow

CONTINUED = Take("The first text.", seed=1, patches=4, prompt=(0.5, 16_000))
COMBINED = replace(CONTINUED, reference=(0.5, 16_000))
CLOSE = 1e-5

every_voice = pytest.mark.parametrize(
    ("kind", "first"),
    [("tiny_v1", CONTINUED), ("tiny_v2", COMBINED)],
    ids=["continued", "combined"],
)


def start(request, kind):
    return make_runner(request.getfixturevalue(kind), slots=1, max_length=256)


@every_voice
def test_another_text_of_the_voice_begins_behind_it_and_sounds_the_same(request, kind, first):
    used, fresh = start(request, kind), start(request, kind)
    speak(used, [first])
    second = replace(first, text="Another text.")
    prompt = used.prepare(second.utterance(), second.seed)
    transcript = used.loaded.tokenize(second.transcript)
    assert prompt.shared >= len(transcript) - 1
    used.begin(0, prompt)
    assert used._occupants[0].to_consume == len(prompt.tokens) - prompt.shared
    used.release(0)
    [audio], [expected] = speak(used, [second]), speak(fresh, [second])
    assert np.abs(audio - expected).max() <= CLOSE


@every_voice
def test_other_words_for_the_same_recording_are_read_in(request, kind, first):
    used, fresh = start(request, kind), start(request, kind)
    speak(used, [first])
    corrected = replace(first, transcript="As it really was said.")
    [audio], [expected] = speak(used, [corrected]), speak(fresh, [corrected])
    assert np.abs(audio - expected).max() <= CLOSE
