"""A model with its slots: where the memory ends, a sentence says so and what to do."""

from __future__ import annotations

import pytest
import torch

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm import loaded
from speech.engine.voxcpm.config import VoxCPMConfig


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_slots_that_do_not_fit_beside_the_model_are_said_to(tiny_v1, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(loaded, "BatchedModel", fail)
    with pytest.raises(EngineUnavailable, match="ENGINE_SLOTS or ENGINE_MAX_LENGTH lower"):
        loaded.load(VoxCPMConfig(str(tiny_v1), device="cpu"))


def test_it_is_the_real_error_of_a_cpu_that_is_told_so(tiny_v1):
    config = VoxCPMConfig(str(tiny_v1), device="cpu", slots=2**34)
    with pytest.raises(EngineUnavailable, match="has too little memory free"):
        loaded.load(config)
