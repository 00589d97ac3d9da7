"""What a built-in voice is to an engine: one of its own, a description, or a seed."""

from __future__ import annotations

from dataclasses import replace

from speech.engine.tone import ToneEngine
from speech.engine.types import Ability
from speech.prompts import voice_prompt, voice_seed
from voices.presets import PRESETS

TONE = ToneEngine().info
CLONES = replace(TONE, abilities=TONE.abilities | {Ability.CLONE})
DESIGNS = replace(CLONES, abilities=CLONES.abilities | {Ability.DESIGN})


def test_the_engine_s_own_voice_is_no_prompt():
    for info in (TONE, CLONES, DESIGNS):
        assert voice_prompt(None, info) is None
        assert voice_seed(None, info) is None


def test_an_engine_with_voices_of_its_own_gets_the_name_alone():
    prompt = voice_prompt(PRESETS["alloy"], TONE)
    assert (prompt.preset, prompt.description) == ("alloy", None)
    assert voice_seed(PRESETS["alloy"], TONE) is None


def test_an_engine_that_designs_gets_the_description():
    assert voice_prompt(PRESETS["onyx"], DESIGNS).description == PRESETS["onyx"].description
    assert voice_seed(PRESETS["onyx"], DESIGNS) is None


def test_an_engine_that_can_only_clone_gets_a_seed_for_each():
    assert voice_prompt(PRESETS["alloy"], CLONES).description is None
    seeds = {voice_seed(preset, CLONES) for preset in PRESETS.values()}
    assert len(seeds) == len(PRESETS)


def test_a_voice_s_seed_is_the_same_for_ever():
    assert voice_seed(PRESETS["alloy"], CLONES) == 2582736367
    assert voice_seed(PRESETS["verse"], CLONES) == 3539461791
