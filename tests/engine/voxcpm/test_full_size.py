"""The benchmarks' models have the published sizes and speak."""

from __future__ import annotations

import pytest
import torch

from benchmarks.checkpoints import build
from tests.engine.voxcpm.stock import quiet

MILLIONS = {"voxcpm-0.5b": (652.3, 75.4), "voxcpm1.5": (801.7, 86.5), "voxcpm2": (2290.0, 94.2)}


@pytest.mark.slow
@pytest.mark.parametrize("name", MILLIONS)
def test_a_model_of_full_size_is_built_and_speaks(name):
    model = build(name)
    vae = sum(weight.numel() for weight in model.audio_vae.parameters())
    rest = sum(weight.numel() for weight in model.parameters()) - vae
    assert (round(rest / 1e6, 1), round(vae / 1e6, 1)) == MILLIONS[name]
    for lm in (model.base_lm, model.residual_lm):
        lm.setup_cache(1, 64, "cpu", torch.bfloat16)
    with quiet():
        samples = model.generate("Hello.", min_len=2, max_len=3, inference_timesteps=2)
    assert samples.isfinite().all() and 0.02 < samples.abs().max() < 1
