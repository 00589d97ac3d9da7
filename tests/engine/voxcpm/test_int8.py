"""8-bit linear layers stand in for the ordinary ones, within a bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm.int8 import Int8Linear, quantize
from tests.engine.voxcpm.takes import Take, make_runner, speak

# Without instructions for products of eight bits, activations have seven.
BOUND = 0.02 if torch.cpu._is_vnni_supported() else 0.03


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(256)
        self.layers = nn.ModuleList([nn.Linear(256, 512, bias=False), nn.Linear(512, 64)])

    def forward(self, x):
        return self.layers[1](nn.functional.silu(self.layers[0](self.norm(x))))


@pytest.fixture
def block():
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        return Block().requires_grad_(False)


@pytest.mark.parametrize("rows", [1, 3, 40])
def test_each_linear_layer_inside_is_replaced_within_a_bound(block, rows):
    x = torch.randn(rows, 5, 256, generator=torch.manual_seed(1))
    expected = block(x)
    assert quantize(block) == 2
    assert [type(layer) for layer in block.layers] == [Int8Linear, Int8Linear]
    assert isinstance(block.norm, nn.LayerNorm)
    found = block(x)
    assert found.shape == expected.shape
    assert 0 < (found - expected).norm() / expected.norm() < BOUND
    assert quantize(block) == 0


def test_a_weight_of_another_size_than_its_neighbours_keeps_its_precision():
    linear = nn.Linear(64, 2, bias=False).requires_grad_(False)
    linear.weight[0] *= 1000
    x = torch.randn(7, 64, generator=torch.manual_seed(1))
    expected, found = linear(x), Int8Linear(linear)(x)
    for channel in (0, 1):
        error = (found - expected)[:, channel].norm() / expected[:, channel].norm()
        assert error < 0.03


def test_half_precision_stays_half(block):
    block = block.bfloat16()
    x = torch.randn(2, 256, generator=torch.manual_seed(1)).bfloat16()
    expected = block(x)
    quantize(block)
    found = block(x)
    assert found.dtype is torch.bfloat16
    assert (found - expected).float().norm() / expected.float().norm() < 0.03


def test_nothing_but_the_cpu_takes_it():
    with pytest.raises(EngineUnavailable, match="the CPU"):
        quantize(nn.Sequential(nn.Linear(4, 4, device="meta")))


def test_a_model_in_8_bits_says_the_same_take(tiny_v2):
    take = Take("Hello there, this is a test.", seed=1, patches=6)
    eight = make_runner(tiny_v2, slots=2, max_length=128, dtype="int8")
    [whole] = speak(make_runner(tiny_v2, slots=2, max_length=128), [take])
    [rounded] = speak(eight, [take])
    linears = [type(each) for each in eight.loaded.model.modules()]
    assert nn.Linear not in linears and Int8Linear in linears
    assert len(rounded) == len(whole) and not np.array_equal(rounded, whole)
    patch = eight.loaded.model.patch_size * eight.loaded.vae.hop_out
    assert np.corrcoef(rounded[:patch], whole[:patch])[0, 1] > 0.99
