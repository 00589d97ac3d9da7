"""A speech request means a voice by id or name, and the engine hears its recording; without consent
it never does."""

from __future__ import annotations

import numpy as np
import pytest

from accounts.audit import Actor
from accounts.exceptions import NotAllowed
from accounts.models import ApiKey
from speech.engine.types import EngineInfo
from speech.plan import make_plan
from speech.requests import Caller, SpeechRequest
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from tests.voices.recordings import WORDS
from voices.exceptions import ConsentRequired, UnknownVoice
from voices.models import VoiceConsent
from voices.scope import Scope
from voices.wav import read_own

pytestmark = pytest.mark.django_db
ACTOR = Actor.of_command("test")
INFO = EngineInfo("clone", ("clone-1",), 24_000, (), frozenset(), 1.0, 0.1)


@pytest.fixture
def plan(account):
    def plan(voice, owner=account, key=None, text="Good evening.", language=None):
        caller = Caller(owner, "openai", "req_1", key)
        request = SpeechRequest(text, "clone-1", voice, language=language)
        return make_plan(request, caller, INFO)

    return plan


@pytest.mark.parametrize("by", ["public_id", "name"])
def test_a_voice_is_meant_by_id_or_name_and_known_by_its_id(voice, plan, by):
    made = plan(getattr(voice, by))
    assert made.voice == voice.public_id
    assert made.settings["voice_version"] == 1
    [utterance] = made.utterances
    samples, rate = read_own(voice.sample.wav())
    assert utterance.voice.reference.sample_rate == rate
    np.testing.assert_array_equal(utterance.voice.reference.samples, samples)
    assert utterance.voice.prompt is None


def test_of_a_noted_use_a_request_need_not_tell(voice, plan):
    for wanted in (voice.public_id, "alloy"):
        assert not plan(wanted).use_is_noted
        type(voice).objects.note_use(wanted)
        assert plan(wanted).use_is_noted
    assert plan("default").use_is_noted, "there is no voice to tell"


def test_with_its_words_a_recording_is_continued(make_voice, plan):
    voice = make_voice(transcript=WORDS)
    [utterance] = plan(voice.public_id).utterances
    assert utterance.voice.prompt.transcript == WORDS
    assert utterance.voice.reference is None


def test_a_version_has_one_key_and_the_next_another(voice, plan, origin):
    def key():
        return plan(voice.public_id).utterances[0].voice.key

    first = key()
    assert key() == first
    voice.rerecord(prepared(8.0), origin)  # noqa: F405
    second = key()
    assert second != first
    voice.restore_version(ACTOR, 1)
    assert key() == first


def test_an_account_may_speak_with_its_own_voice_by_default(voice, plan, account):
    account.default_voice = voice.name
    assert plan(None).voice == voice.public_id


def test_missing_foreign_disabled_and_erased_are_one(voice, make_voice, plan, charlies):
    disabled, erased = make_voice("Disabled"), make_voice("Erased")
    disabled.set_state(ACTOR, "disabled")
    name = erased.name
    erased.erase(ACTOR)
    told = set()
    for wanted, owner in (
        ("voice_000000000000000000000000", None),
        ("Nobody", None),
        (voice.public_id, charlies),
        (voice.name, charlies),
        (disabled.public_id, None),
        (erased.public_id, None),
        (name, None),
    ):
        with pytest.raises(UnknownVoice) as refused:
            plan(wanted, **({"owner": owner} if owner else {}))
        told.add(str(refused.value))
    assert len(told) == 1


def test_without_consent_there_is_no_plan(voice, plan, consent):
    consent.withdraw(ACTOR)
    with pytest.raises(ConsentRequired):
        plan(voice.public_id)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ({"language": "de"}, "de"),
        ({"text": "Guten Abend, wie geht es Ihnen?"}, "de"),
        ({"text": "晚上好。"}, "zh"),
    ],
)
def test_a_language_that_its_consent_does_not_extend_to_is_not_spoken(
    make_voice, plan, account, origin, said, language
):
    word = "Alice says that this is her own voice."
    english = VoiceConsent.attest(account, word, origin, scope=Scope(languages=("en",)))
    voice = make_voice(consent=english)
    assert plan(voice.name) and plan(voice.name, language="en-GB")
    with pytest.raises(ConsentRequired, match=f"does not extend to {language}") as refused:
        plan(voice.name, **said)
    assert refused.value.param == "language"


@pytest.mark.parametrize("by", ["public_id", "name"])
def test_a_key_may_be_held_to_a_voice_by_id_or_name(voice, make_voice, plan, account, by):
    other = make_voice("Another")
    _, key = ApiKey.issue(account, "held", allowed_voices=[getattr(voice, by)])
    assert plan(voice.name, key=key)
    assert plan(voice.public_id, key=key)
    for refused in (other.public_id, "alloy"):
        with pytest.raises(NotAllowed):
            plan(refused, key=key)
