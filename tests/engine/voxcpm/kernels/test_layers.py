"""The kernels between a layer's products compute what the plain code computes."""

from __future__ import annotations

import pytest

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


def test_guidance_leads_each_stream_by_its_own_strength(kernels, drawn):
    guided, free = drawn(3, 4, 20), drawn(3, 4, 20)
    strength = drawn(3).view(3, 1, 1)
    got, expected = kernels.guide(guided, free, strength), solver.guide(guided, free, strength)
    assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_nobody_is_guided_where_nobody_asked_for_it(kernels, drawn):
    nobody = drawn(0, 4, 20)
    assert kernels.guide(nobody, nobody, drawn(0, 1, 1)).shape == nobody.shape
