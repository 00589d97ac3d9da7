"""The engine of every process forgets a voice whose epoch has risen, wherever that was done."""

from __future__ import annotations

import pytest

from accounts.audit import Actor
from speech.engine.types import EngineInfo
from speech.epochs import heard
from speech.plan import make_plan
from speech.requests import Caller, SpeechRequest
from speech.runtime import runtime
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too

pytestmark = pytest.mark.django_db
ACTOR = Actor.of_command("test")
INFO = EngineInfo("clone", ("clone-1",), 24_000, (), frozenset(), 1.0, 0.1)


class Forgetful:
    """An engine that remembers what it forgot."""

    def __init__(self):
        self.forgotten = []

    def forget(self, voice):
        self.forgotten.append(voice)


@pytest.fixture
def engine():
    heard._epochs.clear()  # what other tests have spoken with
    heard._ending.clear()
    runtime._engine = Forgetful()
    yield runtime._engine
    runtime._engine = None
    heard._epochs.clear()
    heard._ending.clear()


@pytest.fixture
def speak(account):
    def speak(voice):
        caller = Caller(account, "openai", "req_1")
        make_plan(SpeechRequest("Good evening.", "clone-1", voice.public_id), caller, INFO)

    return speak


@pytest.mark.parametrize(
    "end",
    [
        lambda voice: voice.erase(ACTOR),
        lambda voice: voice.consent.withdraw(ACTOR),
        lambda voice: voice.set_state(ACTOR, "disabled"),
    ],
    ids=["erased", "withdrawn", "disabled"],
)
def test_what_nobody_may_speak_with_is_forgotten(voice, make_voice, speak, engine, end):
    other = make_voice("Other", consent=None, statement="I agree to a copy of it.")
    for each in (voice, other):
        speak(each)
    heard.forget_changed()
    assert engine.forgotten == []
    public_id = voice.public_id
    end(voice)
    heard.forget_changed()
    assert engine.forgotten == [public_id], "and no other"
    # What was being said with it may have shown it to the engine once more until it ended.
    heard.forget_changed()
    assert engine.forgotten == [public_id] * 2
    for _ in range(20):
        heard.forget_changed()
    assert set(engine.forgotten) == {public_id} and len(engine.forgotten) < 10


def test_an_older_version_that_is_still_being_said_is_forgotten_with_its_voice(
    voice, speak, engine, origin
):
    speak(voice)
    voice.rerecord(prepared(8.0), origin)  # noqa: F405
    heard.forget_changed()
    assert engine.forgotten == [voice.public_id]
    heard.forget_changed()
    assert engine.forgotten == [voice.public_id], "the new version is not encoded twice"
    voice.erase(ACTOR)
    heard.forget_changed()
    assert engine.forgotten == [voice.public_id] * 2


def test_a_voice_that_nobody_heard_is_nobody_s_concern(voice, engine):
    voice.erase(ACTOR)
    heard.forget_changed()
    assert engine.forgotten == []


def test_what_was_heard_in_an_older_epoch_is_forgotten_even_if_it_is_heard_again(
    voice, speak, engine, origin
):
    speak(voice)
    voice.rerecord(prepared(8.0), origin)  # noqa: F405
    speak(voice)
    heard.forget_changed()
    assert engine.forgotten == [voice.public_id]
