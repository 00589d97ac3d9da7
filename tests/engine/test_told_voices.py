"""A voice's recordings reach the engine's process once, and every utterance still has its voice."""

from __future__ import annotations

import numpy as np
import pytest

from speech.engine.hosts import protocol
from speech.engine.hosts.codec import ProtocolError
from speech.engine.hosts.protocol import TO_CHILD, FrameBuffer, pack
from speech.engine.hosts.voices import KeptVoices, ToldVoices
from speech.engine.types import Recording, Utterance, VoicePrompt

SECOND = 16_000


def voice(key, seconds=1, transcript=None):
    samples = np.full(seconds * SECOND, 0.1, np.float32)
    recording = Recording(samples, SECOND, transcript)
    return VoicePrompt(
        key, reference=None if transcript else recording, prompt=transcript and recording
    )


class Line:
    """Both ends, with the frames between them."""

    def __init__(self, most=10 * SECOND * 4):
        self.sent = []
        self.host = ToldVoices(self.carry, most)
        self.child = KeptVoices()
        self.heard = []

    def carry(self, message):
        frame = pack(message)
        [message] = FrameBuffer(TO_CHILD).feed(frame)
        self.sent.append((type(message).__name__, len(frame)))
        match message:
            case protocol.Keep():
                self.child.keep(message)
            case protocol.Forget():
                self.child.forget(message)
            case protocol.Drop():
                pass  # the engine's own affair
            case _:
                self.heard.append(self.child.utterance(message))

    def say(self, voice, text="Hello."):
        self.host.send(protocol.Submit(1, 1, Utterance(text, voice)))
        return self.heard[-1]

    @property
    def kinds(self):
        return [kind for kind, _ in self.sent]


def test_a_voice_crosses_once_and_is_whole_each_time():
    line = Line()
    for text in ("One.", "Two.", "Three."):
        heard = line.say(voice("a"), text)
        assert heard.text == text and heard.voice.key == "a"
        assert np.array_equal(heard.voice.reference.samples, voice("a").reference.samples)
    assert line.kinds == ["Keep", "Submit", "Submit", "Submit"]
    assert all(size < 1000 for kind, size in line.sent if kind == "Submit")


def test_the_same_voice_used_in_another_way_is_another():
    line = Line()
    assert line.say(voice("a")).voice.prompt is None
    assert line.say(voice("a", transcript="Words.")).voice.prompt.transcript == "Words."
    assert line.kinds.count("Keep") == 2


def test_the_oldest_is_forgotten_and_told_again_when_it_is_needed():
    line = Line(most=3 * SECOND * 4)
    for key in ("a", "b", "a", "c", "d"):
        line.say(voice(key))
    assert line.kinds.count("Forget") == 1
    line.say(voice("a"))
    assert line.kinds.count("Keep") == 4
    assert line.say(voice("b")).voice.key == "b"
    assert line.kinds.count("Keep") == 5


def test_a_voice_larger_than_all_that_is_kept_speaks_once():
    line = Line(most=SECOND)
    assert line.say(voice("a", seconds=2)).voice.key == "a"
    assert line.kinds == ["Keep", "Submit", "Forget"]


def test_without_recordings_the_utterance_goes_as_it_is():
    line = Line()
    assert line.say(VoicePrompt("preset:alloy", preset="alloy")).voice.preset == "alloy"
    assert line.say(None).voice is None
    assert line.kinds == ["Submit", "Submit"]


def test_a_voice_that_nobody_told_of_is_refused():
    with pytest.raises(ProtocolError):
        KeptVoices().utterance(protocol.Check(1, Utterance("Hello."), voice=7))


def test_a_voice_that_is_dropped_is_forgotten_on_both_sides_in_all_its_versions():
    line = Line()
    for key in ("a:1:x", "a:2:y", "ab:1:z"):
        line.say(voice(key))
    line.host.drop("a")
    assert line.kinds[-3:] == ["Forget", "Forget", "Drop"]
    assert [kept.key for kept in line.child._kept.values()] == ["ab:1:z"]
    line.say(voice("a:2:y"))
    assert line.kinds[-2:] == ["Keep", "Submit"]
