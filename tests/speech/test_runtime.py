"""Which engine the settings come to, and what is said where they come to none."""

from __future__ import annotations

import pytest

from speech.engine.types import EngineState, EngineStats
from speech.runtime import FALLBACK_NOTICE, NO_SUCH_MODEL, NO_VOXCPM, Choice, Runtime, choose
from tests.engine.voxcpm.files import write_checkpoint


@pytest.fixture(autouse=True)
def models(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


def test_without_weights_auto_falls_back_and_voxcpm_does_not():
    assert choose("auto") == Choice("espeak", FALLBACK_NOTICE)
    assert choose("voxcpm") == Choice(None, NO_VOXCPM)


@pytest.mark.parametrize("setting", ["auto", "voxcpm"])
def test_with_weights_both_are_voxcpm_with_the_best_of_them(models, setting, settings):
    write_checkpoint(models / "voxcpm-0.5b", "voxcpm-0.5b")
    best = write_checkpoint(models / "voxcpm2", "voxcpm2")
    choice = choose(setting)
    assert (choice.name, choice.notice) == ("voxcpm", "")
    assert choice.config == {"model": str(best), **settings.VOXCPM_CONFIG}


def test_speech_model_names_the_checkpoint(models, settings, tmp_path):
    write_checkpoint(models / "voxcpm2", "voxcpm2")
    small = write_checkpoint(models / "voxcpm-0.5b", "voxcpm-0.5b")
    elsewhere = write_checkpoint(tmp_path / "elsewhere", "voxcpm1.5")
    for setting, path in (("openbmb/VoxCPM-0.5B", small), (str(elsewhere), elsewhere)):
        settings.SPEECH_MODEL = setting
        assert choose("auto").config["model"] == str(path)


@pytest.mark.parametrize("setting", ["auto", "voxcpm"])
def test_a_checkpoint_that_is_not_there_is_said_and_never_replaced(settings, setting):
    settings.SPEECH_MODEL = "voxcpm1.5"
    assert choose(setting) == Choice(None, NO_SUCH_MODEL)


def test_the_other_engines_ask_for_no_weights(models):
    write_checkpoint(models / "voxcpm2", "voxcpm2")
    assert choose("tone") == Choice("tone")


class Speaking:
    """An engine that has something to say of itself."""

    def stats(self):
        return EngineStats(EngineState.READY, notice="CUDA graphs are off.")


def test_people_are_told_of_the_choice_and_of_how_the_engine_runs():
    runtime = Runtime("auto")
    assert runtime.notice == ""
    runtime._engine = Speaking()
    assert runtime.notice == "CUDA graphs are off."
    runtime._chosen = FALLBACK_NOTICE
    assert runtime.notice == f"{FALLBACK_NOTICE} CUDA graphs are off."
