"""On a CPU weights are packed once; what is multiplied with them is what it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from speech.engine.voxcpm.packing import PackedLinear, can_pack
from speech.engine.voxcpm.transformer import Layer
from tests.engine.voxcpm.takes import make_runner

WEIGHT = torch.randn(96, 64, generator=torch.manual_seed(0)).bfloat16()
needs_packing = pytest.mark.skipif(not can_pack(WEIGHT), reason="this processor packs nothing")


@needs_packing
@pytest.mark.parametrize("shape", [(1, 64), (2, 5, 64), (1, 300, 64), (2, 0, 64)])
@pytest.mark.parametrize("has_bias", [False, True])
def test_a_packed_layer_is_the_layer(shape, has_bias):
    x = torch.randn(shape, generator=torch.manual_seed(1)).bfloat16()
    bias = torch.randn(96, generator=torch.manual_seed(2)).bfloat16() if has_bias else None
    torch.testing.assert_close(PackedLinear(WEIGHT, bias)(x), nn.functional.linear(x, WEIGHT, bias))


def test_nothing_but_bfloat16_on_a_cpu_is_packed():
    assert not can_pack(WEIGHT.to("meta"))
    assert not can_pack(WEIGHT.float())


@needs_packing
def test_a_loaded_model_has_packed_layers(tiny_v2):
    model = make_runner(tiny_v2, slots=1, max_length=64, dtype="bfloat16").loaded.model
    layers = [each for each in model.modules() if isinstance(each, Layer)]
    assert layers
    assert {type(part) for layer in layers for part in layer.children()} == {PackedLinear}
