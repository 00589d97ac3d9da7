"""The names a client may ask for as a model, which are known from the first migration on."""

from __future__ import annotations

import pytest

from speech.models import SpeechModel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models_to_ask_for")]


@pytest.mark.parametrize(
    ("name", "row", "steps", "instructions", "ignores_stream_format"),
    [
        ("tts-1", "tts-1", 5, False, True),
        ("tts-1-1106", "tts-1", 5, False, True),
        ("gpt-4o-mini-tts", "gpt-4o-mini-tts", 7, True, False),
        ("gpt-4o-mini-tts-2025-03-20", "gpt-4o-mini-tts", 7, True, False),
        ("gpt-4o-mini-tts-2025-12-15", "gpt-4o-mini-tts", 7, True, False),
        ("tts-1-hd", "tts-1-hd", 10, False, True),
        ("tts-1-hd-1106", "tts-1-hd", 10, False, True),
    ],
)
def test_openai_s_names_are_there_from_the_start(
    name, row, steps, instructions, ignores_stream_format
):
    model = SpeechModel.objects.named(name)
    assert (model.name, model.inference_timesteps, model.cfg_value) == (row, steps, 2.0)
    assert model.allows_instructions is instructions
    assert model.ignores_stream_format is ignores_stream_format


@pytest.mark.parametrize("name", ["", "tts", "tts-1-", "TTS-1", "tts-1\0"])
def test_other_names_are_unknown(name):
    assert SpeechModel.objects.named(name) is None


def test_a_model_that_is_off_is_unknown_under_all_its_names():
    SpeechModel.objects.filter(name="tts-1").update(enabled=False)
    assert SpeechModel.objects.named("tts-1") is None
    assert SpeechModel.objects.named("tts-1-1106") is None
