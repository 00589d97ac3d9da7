"""A model without voices of its own speaks each built-in name once, keeps the recording, and it is
that voice from then on, whoever asks in whichever process."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from accounts.audit import Actor, AuditEntry
from speech.baking import REST, find_or_begin, make_all
from speech.engine.errors import EngineUnavailable, SynthesisFailed
from speech.engine.types import Ability, EngineState
from speech.plan import make_plan
from speech.prompts import voice_prompt
from speech.requests import Caller, SpeechRequest
from speech.takes import SEEDS
from tests.engine.patches import PatchEngine, Runner
from tests.engine.speaking import raised
from tests.engine.waiting import eventually
from voices import storage
from voices.exceptions import StorageUnavailable
from voices.models import BuiltInTake, Voice
from voices.presets import PRESETS
from voices.wav import read_own

pytestmark = pytest.mark.django_db(transaction=True)
CLONES = replace(PatchEngine.info, abilities=PatchEngine.info.abilities | {Ability.CLONE})
ALLOY, NOVA = PRESETS["alloy"], PRESETS["nova"]


def voice_of(preset):
    return Voice.objects.get(public_id=preset.name)


class Cloner(PatchEngine):
    info = CLONES


@pytest.fixture(autouse=True)
def any_sound_is_good(settings):
    """What this engine makes is no speech."""
    settings.VOICE_CHECKS = "report"


@pytest.fixture
def runner():
    return Runner()


@pytest.fixture
def engine(runner):
    engine = Cloner(runner)
    engine.start()
    eventually(lambda: engine.stats().state is EngineState.READY)
    yield engine
    eventually(lambda: not any(t.name == "baking" for t in threading.enumerate()), 60)
    engine.stop()


def made(preset, engine):
    """Ask for it as requests do, until it is there."""
    found, voice = [], voice_of(preset)
    eventually(lambda: found.append(find_or_begin(voice, engine)) or found[-1], 30)
    return found[-1]


def recordings():
    return [storage.read(take.object_key) for take in BuiltInTake.objects.ready()]


@pytest.mark.slow
def test_who_asks_for_one_gets_it_and_the_others_follow(engine):
    prompt = made(ALLOY, engine)
    assert prompt.prompt.transcript == ALLOY.sentence
    eventually(lambda: BuiltInTake.objects.ready().count() == 13, 60)
    assert len(set(recordings())) == 13


def test_it_is_the_same_recording_ever_after(engine, runner):
    first = made(ALLOY, engine)
    eventually(lambda: BuiltInTake.objects.ready().count() == 13, 60)
    spoken = len(runner.draws)
    again = find_or_begin(voice_of(ALLOY), engine)
    assert again.key == first.key
    assert np.array_equal(again.prompt.samples, first.prompt.samples)
    assert voice_prompt(voice_of(ALLOY), engine.info)[0].key == first.key
    assert len(runner.draws) == spoken


def test_many_who_ask_at_once_have_it_made_once(engine, runner):
    gate = threading.Barrier(4)

    def ask():
        gate.wait()
        find_or_begin(voice_of(ALLOY), engine)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: BuiltInTake.objects.ready().count() == 13, 60)
    assert len({text for text, _ in runner.draws}) == len(runner.draws) == 13


def test_a_request_is_planned_with_it_or_with_what_is_to_be_made(engine, account):
    def plan(voice):
        return make_plan(SpeechRequest("Good evening.", "patches", voice), caller, engine.info)

    caller = Caller(account, "openai", "req_1")
    assert plan("alloy").unmade == voice_of(ALLOY)
    prompt = made(ALLOY, engine)
    planned = plan("alloy")
    assert planned.unmade is None
    assert (planned.voice, planned.settings["voice_version"]) == ("alloy", 1)
    assert planned.utterances[0].voice.key == prompt.key
    assert plan("default").unmade is None, "it is the engine's own, and never made"
    assert plan("default").utterances[0].voice is None


def test_what_somebody_else_makes_is_waited_for_and_taken_over_when_they_die(engine, runner):
    BuiltInTake.objects.want_all("patches")
    take = BuiltInTake.objects.get(preset="alloy")
    assert take.claim("elsewhere") and not take.claim("here")
    assert find_or_begin(voice_of(ALLOY), engine) is None
    assert not runner.draws
    BuiltInTake.objects.filter(pk=take.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert made(ALLOY, engine)
    assert not take.renew("elsewhere"), "it is no longer theirs"


def test_a_bad_take_is_tried_with_other_seeds_and_then_rests(engine, runner):
    BuiltInTake.objects.want_all("patches")
    BuiltInTake.objects.exclude(preset="nova").delete()
    runner.faults["begin"] = raised(SynthesisFailed, times=4)
    assert [take.preset for take in make_all(engine)] == ["nova"]
    assert [seed - NOVA.seed for _, seed in runner.draws] == [0, 1, 2, 3]
    with pytest.raises(EngineUnavailable, match="nova could not be made") as refused:
        find_or_begin(voice_of(NOVA), engine)
    assert refused.value.retry_after == REST.total_seconds()
    rested = timezone.now() - REST - timedelta(seconds=1)
    BuiltInTake.objects.update(failed_at=rested)
    assert made(NOVA, engine)
    assert runner.draws[4][1] == NOVA.seed + 4, "with seeds that were not bad yet"


def test_a_take_without_an_end_is_bad_or_cut(engine, runner, settings):
    BuiltInTake.objects.want_all("patches")
    BuiltInTake.objects.exclude(preset="nova").delete()
    runner.patches[NOVA.sentence] = 10_000
    settings.VOICE_CHECKS = "refuse"
    list(make_all(engine))
    assert "did not come to an end" in BuiltInTake.objects.get().error
    BuiltInTake.objects.update(failed_at=None)
    settings.VOICE_CHECKS = "report"
    list(make_all(engine))
    samples, rate = read_own(recordings()[0])
    assert len(samples) / rate == pytest.approx(12, abs=0.3)


def test_without_an_engine_nothing_is_lost_and_nobody_is_blamed(engine, runner):
    BuiltInTake.objects.want_all("patches")
    engine.stop()
    list(make_all(engine))
    assert not BuiltInTake.objects.ready().exists()
    assert BuiltInTake.objects.to_make().count() == 13


def test_what_is_made_anew_sounds_different_and_is_told_apart(engine, runner, alice, account):
    first = made(ALLOY, engine)
    eventually(lambda: BuiltInTake.objects.ready().count() == 13, 60)
    old, voice, actor = (
        BuiltInTake.objects.get(preset="alloy"),
        voice_of(ALLOY),
        Actor.of_user(alice),
    )
    assert voice.make_anew(actor, old)
    assert not voice.make_anew(actor, old), "it is not there any more"
    assert voice_of(ALLOY).epoch == voice.epoch + 1, "so that engines forget it"
    storage.sweep()
    with pytest.raises(StorageUnavailable):
        storage.read(old.object_key)
    again = made(ALLOY, engine)
    assert again.key != first.key
    assert runner.draws[-1] == (ALLOY.sentence, ALLOY.seed + SEEDS)
    caller = Caller(account, "openai", "req_1")
    planned = make_plan(SpeechRequest("Good evening.", "patches", "alloy"), caller, engine.info)
    assert planned.settings["voice_version"] == 2
    entry = AuditEntry.objects.get(action="voice.make_anew")
    assert json.loads(entry.details) == {"model": "patches", "version": 1}


def test_what_is_being_made_cannot_be_given_up(engine):
    BuiltInTake.objects.want_all("patches")
    take = BuiltInTake.objects.get(preset="alloy")
    assert take.claim("elsewhere")
    assert not take.give_up()
    assert take.renew("elsewhere")
