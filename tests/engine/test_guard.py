"""What the guard takes for speech, and what it stops before anybody hears it."""

from __future__ import annotations

import numpy as np
import pytest

from speech.engine.guard import BadAudio, OutputGuard
from speech.engine.types import AudioChunk

RATE = 1000


def chunk(*values):
    return AudioChunk(np.array(values, np.float32))


def silence(seconds):
    return AudioChunk(np.zeros(round(seconds * RATE), np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 5.0, -5.0])
def test_it_refuses_what_is_not_speech(value):
    with pytest.raises(BadAudio):
        OutputGuard(RATE).admit(chunk(0.1, value, 0.1))


def test_it_lets_speech_that_clips_a_little_pass():
    loud = chunk(1.5, -1.5)
    assert OutputGuard(RATE).admit(loud) == [loud]


def test_it_holds_leading_silence_until_the_first_sound():
    guard = OutputGuard(RATE)
    lead, sound = silence(0.1), chunk(0.5)
    assert guard.admit(lead) == []
    assert not guard.started
    assert guard.admit(sound) == [lead, sound]
    assert guard.started


def test_it_lets_later_silence_pass():
    guard = OutputGuard(RATE)
    guard.admit(chunk(0.5))
    pause = silence(5)
    assert guard.admit(pause) == [pause]


def test_it_refuses_an_endless_lead():
    guard = OutputGuard(RATE)
    guard.admit(silence(1.5))
    with pytest.raises(BadAudio):
        guard.admit(silence(1))


def test_it_refuses_silence_and_nothing_at_the_end():
    with pytest.raises(BadAudio):
        OutputGuard(RATE).close()
    guard = OutputGuard(RATE)
    guard.admit(silence(1))
    with pytest.raises(BadAudio):
        guard.close()


def test_it_refuses_less_than_the_text_needs_unless_it_was_cut():
    guard = OutputGuard(RATE, shortest=1.0)
    guard.admit(AudioChunk(np.full(RATE // 2, 0.5, np.float32)))
    with pytest.raises(BadAudio):
        guard.close()
    guard.close(complete=False)


def test_it_lets_exactly_what_the_text_needs_pass():
    guard = OutputGuard(24_000, shortest=2.7)
    guard.admit(AudioChunk(np.full(64_800, 0.5, np.float32)))
    guard.close()


def test_it_holds_a_whole_answer_until_its_end():
    guard = OutputGuard(RATE, whole=True)
    chunks = [chunk(0.5), chunk(0.2)]
    assert [guard.admit(one) for one in chunks] == [[], []]
    assert guard.heard and not guard.started
    assert guard.close() == chunks
    assert guard.started
