"""On a CPU weights are packed once; what is multiplied with them is what it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from speech.engine.voxcpm.packing import PackedLinear, can_pack
from speech.engine.voxcpm.transformer import Layer
from tests.engine.voxcpm.takes import make_runner

WEIGHT = torch.randn(96, 64, generator=torch.manual_seed(0))
needs_packing = pytest.mark.skipif(not can_pack(WEIGHT), reason="this processor packs nothing")


@needs_packing
@pytest.mark.parametrize("shape", [(1, 64), (2, 5, 64), (1, 300, 64), (2, 0, 64)])
@pytest.mark.parametrize("has_bias", [False, True])
def test_a_packed_layer_is_the_layer(shape, has_bias):
    x = torch.randn(shape, generator=torch.manual_seed(1))
    bias = torch.randn(96, generator=torch.manual_seed(2)) if has_bias else None
    torch.testing.assert_close(PackedLinear(WEIGHT, bias)(x), nn.functional.linear(x, WEIGHT, bias))


@pytest.mark.skipif(not can_pack(WEIGHT.bfloat16()), reason="this processor packs no bfloat16")
@pytest.mark.parametrize("rows", [1, 2, 10, 300])
def test_bfloat16_stays_bfloat16(rows):
    x, weight = torch.randn(rows, 64, generator=torch.manual_seed(1)).bfloat16(), WEIGHT.bfloat16()
    torch.testing.assert_close(PackedLinear(weight)(x), nn.functional.linear(x, weight))


def test_nothing_but_the_cpu_packs():
    assert not can_pack(WEIGHT.to("meta"))


@needs_packing
def test_a_loaded_model_has_packed_layers(tiny_v2):
    model = make_runner(tiny_v2, slots=1, max_length=64).loaded.model
    layers = [each for each in model.modules() if isinstance(each, Layer)]
    assert layers
    assert {type(part) for layer in layers for part in layer.children()} == {PackedLinear}
