"""The kernels between a layer's products compute what the plain code computes."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm import solver, transformer

pytestmark = pytest.mark.slow


@pytest.fixture
def kernels():
    from speech.engine.voxcpm.kernels import layers

    return layers


@pytest.fixture
def hidden(drawn, dtype):
    return [drawn(3, 5, 96, dtype=dtype) for _ in range(2)] + [drawn(96, dtype=dtype)]


def test_tokens_are_normed(kernels, hidden, close):
    token, _, weight = hidden
    close(kernels.rms_norm(token, weight, 1e-5), transformer.rms_norm(token, weight, 1e-5))


def test_of_tokens_that_are_not_in_a_row_each_is_its_own(kernels, hidden, close):
    token, _, weight = hidden
    part = token[:, 2:]
    close(kernels.rms_norm(part, weight, 1e-5), transformer.rms_norm(part, weight, 1e-5))


@pytest.mark.parametrize("scale", [None, 0.25])
def test_a_change_is_added_and_the_sum_is_normed(kernels, hidden, close, scale):
    token, change, weight = hidden
    given = token, change, scale, weight, 1e-5
    for ours, plain in zip(kernels.add_norm(*given), transformer.add_norm(*given), strict=True):
        close(ours, plain)


@pytest.mark.parametrize("width", [96, 1500])
def test_one_half_says_how_much_of_the_other_passes(kernels, drawn, dtype, close, width):
    joined = drawn(2, 3, 2 * width, dtype=dtype)
    close(kernels.gate(joined), transformer.gate(joined))


@pytest.mark.parametrize("guided", [[0, 1, 2], [2, 0], []], ids=str)
def test_each_stream_takes_its_own_step_and_is_led_by_its_own_strength(
    kernels, drawn, dtype, close, guided
):
    state, velocity = drawn(3, 4, 20), drawn(3 + len(guided), 4, 20, dtype=dtype)
    size = drawn(3, 5)[:, 2]
    given = state, velocity, size, torch.tensor(guided).long(), drawn(len(guided), 1, 1)
    (moved, patch), (expected, rounded) = kernels.step(*given), solver.step(*given)
    assert (moved - expected).abs().max() <= 1e-5 * expected.abs().max()
    close(patch, rounded)
