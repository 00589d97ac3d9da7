"""The kernels of AudioVAE make the samples that the plain code makes, and remember the same."""

from __future__ import annotations

import pytest

from speech.engine.voxcpm import vae_layers
from speech.engine.voxcpm.vae_layers import Convolution, Pointwise, Residual, Snake

ROWS = 3

pytestmark = pytest.mark.slow


@pytest.fixture
def kernels():
    from speech.engine.voxcpm.kernels import vae

    return vae


def unit(drawn, channels, dilation, half):
    return Residual(
        Snake(drawn(channels).abs() + 0.1),
        Convolution(drawn(channels, 1, 7) / 3, drawn(channels), dilation, channels),
        Snake(drawn(channels).abs() + 0.1),
        Pointwise(drawn(channels, channels, 1) / channels**0.5, drawn(channels), half),
    )


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize(("channels", "dilation"), [(24, 1), (8, 9), (70, 3)])
@pytest.mark.parametrize("length", [4, 70])
def test_a_residual_unit_goes_on_where_it_stopped(kernels, drawn, half, channels, dilation, length):
    layer = unit(drawn, channels, dilation, half)
    # A view, as the chain gives: the rows of all layers' memories lie beside each other.
    past = drawn(ROWS, layer.context + 5)[:, 3 : layer.context + 3]
    x = drawn(ROWS, length, channels)
    got, kept = kernels.residual(x, past, layer)
    expected, remembered = vae_layers.residual(x, past, layer)
    bound = 2e-2 if half else 1e-5
    assert (got - expected).abs().max() <= bound * expected.abs().max()
    assert (kept - remembered).abs().max() <= 1e-5


def test_a_nonlinearity_bends_each_channel_by_its_own(kernels, drawn):
    x, layer = drawn(2, 50, 24), Snake(drawn(24).abs() + 0.1)
    got = kernels.snake(x, layer.alpha, layer.inverse)
    assert (got - layer.snake(x)).abs().max() <= 1e-5


@pytest.mark.parametrize("length", [1, 4, 90])
def test_each_sample_meets_the_one_before_it(kernels, drawn, length):
    x, past, layer = drawn(ROWS, length, 24), drawn(ROWS, 31)[:, 4:28], Snake(drawn(24).abs() + 0.1)
    got, expected = kernels.pairs(x, past, layer), vae_layers.pairs(x, past, layer)
    assert (got - expected).abs().max() <= 1e-5
