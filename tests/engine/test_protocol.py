"""Frames carry every message whole, in any cut, and refuse what is not one."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from speech.engine.errors import (
    EngineBusy,
    EngineError,
    InvalidUtterance,
    QueueTimeout,
    SynthesisFailed,
    UnsupportedByEngine,
)
from speech.engine.faults import Faults
from speech.engine.hosts import protocol
from speech.engine.hosts.codec import ProtocolError
from speech.engine.hosts.protocol import TO_CHILD, TO_HOST, Failure, FrameBuffer, pack
from speech.engine.types import (
    Ability,
    AudioChunk,
    EngineInfo,
    EngineState,
    EngineStats,
    FinishReason,
    Mark,
    Priority,
    Recording,
    SamplingParams,
    Utterance,
    VoicePrompt,
)

INFO = EngineInfo("tone", ("tone", "t"), 24000, ("en",), frozenset({Ability.SEED}), 1.0, 0.5)
STATS = EngineStats(EngineState.LOADING, "Soon.", waiting=3, load_seconds=1.5, notice="Slow.")
UTTERANCE = Utterance(
    "café 😀 \ud800",
    VoicePrompt("k", preset="alloy", description="low"),
    "en",
    "calm",
    SamplingParams(seed=2**63, cfg_value=2),
    Priority.JOB,
    "account-7",
)


def receive(data, accepts=TO_CHILD + TO_HOST):
    return list(FrameBuffer(accepts).feed(data))


@pytest.mark.parametrize(
    "message",
    [
        protocol.Begin("tone", {"slots": 4, "nested": {"a": [1, None]}}, 0.25),
        protocol.Submit(7, 48000, UTTERANCE),
        protocol.Grant(7, 24000),
        protocol.Cancel(7),
        protocol.Check(8, UTTERANCE),
        protocol.Load(9),
        protocol.Unload(10),
        protocol.SetFaults(11, Faults(raise_at=3, match="bad")),
        protocol.Hello(INFO),
        protocol.Refused(Failure("EngineUnavailable", "No.", retry_after=2.0)),
        protocol.Beat(STATS, 12.5, None),
        protocol.Finish(7, FinishReason.LENGTH, 5, None),
        protocol.Finish(7, None, None, Failure("SynthesisFailed", "It failed.")),
        protocol.Answer(8, None),
    ],
    ids=lambda message: type(message).__name__,
)
def test_it_carries_every_message_unchanged(message):
    assert receive(pack(message)) == [message]


def test_it_carries_samples_and_marks():
    samples = np.linspace(-1, 1, 1920, dtype=np.float32)
    chunk = AudioChunk(samples, (Mark(0, 5, 0.0), Mark(6, 2, 0.4)))
    (audio,) = receive(pack(protocol.Audio(3, chunk, 99)))
    assert audio.chunk.samples.tobytes() == samples.tobytes()
    assert audio.chunk.samples.dtype == np.float32
    assert audio.chunk.samples.flags.writeable
    assert (audio.chunk.marks, audio.id, audio.seed) == (chunk.marks, 3, 99)


def test_it_carries_the_recordings_of_a_voice():
    low, high = (np.full(size, value, np.float32) for size, value in ((1000, 0.5), (10, -1)))
    voice = VoicePrompt("v", reference=Recording(low, 16000), prompt=Recording(high, 48000, "hi"))
    (message,) = receive(pack(protocol.Submit(1, 1, Utterance("x", voice))))
    got = message.utterance.voice
    np.testing.assert_array_equal(got.reference.samples, low)
    np.testing.assert_array_equal(got.prompt.samples, high)
    assert (got.prompt.sample_rate, got.prompt.transcript) == (48000, "hi")


def test_it_puts_messages_together_from_any_cut():
    chunk = AudioChunk(np.arange(50, dtype=np.float32))
    data = b"".join(pack(protocol.Audio(id, chunk, id)) for id in range(4))
    for size in (1, 7, 64, len(data)):
        frames = FrameBuffer(TO_HOST)
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert [m.id for piece in pieces for m in frames.feed(piece)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "error",
    [
        EngineBusy("Full.", 7.5),
        InvalidUtterance("Bad.", "seed"),
        UnsupportedByEngine("No clones.", "voice"),
        QueueTimeout("Too late.", 3.0),
        SynthesisFailed("Broken."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_it_carries_errors_with_their_class_and_details(error):
    again = Failure.of(error).error()
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_it_tells_nothing_of_an_error_that_is_not_ours():
    error = Failure.of(RuntimeError("/srv/secret at 0xdeadbeef")).error()
    assert type(error) is SynthesisFailed
    assert "secret" not in error.message


def test_it_sends_an_engines_own_error_as_the_nearest_known_one():
    class Odd(EngineBusy):
        pass

    assert type(Failure.of(Odd("Odd.")).error()) is EngineBusy
    assert issubclass(EngineBusy, EngineError)


def frame(header, raw=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(text) + len(raw), len(text)) + text + raw


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<II", protocol.MAX_FRAME + 1, 2),
        struct.pack("<II", 4, 5),
        frame(b"\xff\xfe"),
        frame(b"[" * 100_000),
        frame(7),
        frame(["Grant"]),
        frame(["Grant", [1]]),
        frame(["Grant", [1, "2"]]),
        frame(["Grant", [1, True]]),
        frame(["Grant", [1, 2]], b"extra"),
        frame([["Grant"], [1, 2]]),
        frame(["__import__", ["os"]]),
        frame(["Beat", [["asleep", "", 0, 0, 0, 0, None], 0.0, None]]),
        frame(["Audio", [1, [5, []], None]], b"\0" * 16),
        frame(["Audio", [1, [-1, []], None]]),
    ],
)
def test_it_refuses_what_is_no_message(data):
    with pytest.raises(ProtocolError):
        receive(data)


def test_it_refuses_a_message_for_the_other_side():
    with pytest.raises(ProtocolError):
        receive(pack(protocol.Hello(INFO)), TO_CHILD)


def test_it_never_makes_a_frame_that_the_other_side_would_refuse():
    samples = np.broadcast_to(np.float32(0), protocol.MAX_FRAME // 4 + 1)
    with pytest.raises(ValueError, match="too large"):
        pack(protocol.Audio(1, AudioChunk(samples), None))
