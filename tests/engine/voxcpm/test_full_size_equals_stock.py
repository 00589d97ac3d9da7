"""At full size, random weights: what holds for tiny models holds for a model as it is served."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.checkpoints import build
from benchmarks.sides import Stock
from speech.engine.voxcpm.config import VoxCPMConfig
from speech.engine.voxcpm.loaded import assemble
from speech.engine.voxcpm.prompt import lay_out
from speech.engine.voxcpm.runner import ModelRunner
from tests.engine.voxcpm.stock import quiet
from tests.engine.voxcpm.takes import Take, far_from_ties, speak

TAKES = [
    Take("Hello there, this is a test.", seed=1, patches=4),
    Take("And another one at the same time.", seed=2, patches=4, timesteps=5),
]


class FullSize(ModelRunner):
    """A runner of a model in memory."""

    def __init__(self, model):
        super().__init__(VoxCPMConfig("", slots=2))
        self._loaded = assemble(model, "voxcpm", self._config, 256)


def by_the_package(model, take):
    layout = lay_out(model.text_tokenizer(take.text), 0, 0)
    with quiet(), torch.random.fork_rng(devices=[]), far_from_ties(model, layout):
        torch.manual_seed(take.seed)
        audio, *_ = model.generate_with_prompt_cache(
            take.text,
            None,
            max_len=take.patches,
            inference_timesteps=take.timesteps,
            cfg_value=take.cfg,
        )
    return audio.squeeze(0).numpy()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_audio_of_a_full_size_model_is_the_packages_own():
    model = build("voxcpm-0.5b", "cpu", "float32")
    Stock(model)  # sets up what the package keeps its past in
    expected = [by_the_package(model, take) for take in TAKES]
    ours = speak(FullSize(model), TAKES)
    for one, other in zip(ours, expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() <= 1e-5
