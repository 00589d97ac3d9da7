"""What a built-in voice is to an engine: one of its own, or a recording that it has made once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from speech.engine.tone import ToneEngine
from speech.engine.types import Ability
from speech.prompts import makes_built_in_voices, voice_prompt
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from tests.voices.conftest import kept_take
from voices.models import Voice
from voices.presets import PRESETS

TONE = ToneEngine().info
CLONES = replace(TONE, abilities=TONE.abilities | {Ability.CLONE})
DESIGNS = replace(CLONES, abilities=CLONES.abilities | {Ability.DESIGN})
ALLOY = PRESETS["alloy"]


@pytest.fixture
def take(db):
    return kept_take("tone")


def test_an_engine_with_voices_of_its_own_gets_the_name_alone(alloy):
    prompt, version = voice_prompt(alloy, TONE)
    assert (prompt.preset, prompt.reference, prompt.prompt) == ("alloy", None, None)
    assert version is None
    assert not makes_built_in_voices(TONE)


def test_an_engine_without_has_none_before_it_is_made(alloy):
    assert makes_built_in_voices(CLONES)
    assert voice_prompt(alloy, CLONES) == (None, 1)


def test_what_was_made_is_continued_by_models_that_can_do_no_more(alloy, take):
    prompt, version = voice_prompt(alloy, CLONES)
    assert (prompt.reference, version) == (None, 1)
    assert prompt.prompt.transcript == ALLOY.sentence
    assert voice_prompt(Voice.objects.get(public_id="nova"), CLONES) == (None, 1)


def test_elsewhere_it_lends_its_timbre_alone_so_that_directions_are_obeyed(alloy, take):
    prompt, _ = voice_prompt(alloy, DESIGNS)
    assert prompt.prompt is None and prompt.reference is not None


def test_another_model_has_a_voice_of_its_own(alloy, take):
    assert voice_prompt(alloy, replace(CLONES, names=("other",))) == (None, 1)


def test_every_voice_has_its_own_seed_and_sentence_for_ever():
    assert len({preset.seed for preset in PRESETS.values()}) == 13
    assert len({preset.sentence for preset in PRESETS.values()}) == 13
    assert (ALLOY.seed, PRESETS["verse"].seed) == (2582736367, 3539461791)
