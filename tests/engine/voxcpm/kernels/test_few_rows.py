"""Products of few rows, with what stands around them, are what the plain code makes of it."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from speech.engine.voxcpm import transformer
from speech.engine.voxcpm.race import ROWS, TILES, Size, Tile, size_of
from speech.engine.voxcpm.transformer import Norm

pytestmark = pytest.mark.slow

SMALL = Tile(columns=16, depth=16, stages=2)
"""Its steps along the depth are 64."""


@pytest.fixture
def kernels():
    from speech.engine.voxcpm.kernels import few_rows

    return few_rows


@pytest.fixture
def products():
    from speech.engine.voxcpm.kernels.products import Products

    return Products()


@pytest.fixture(params=[(1, 40, 64), (5, 16, 200), (22, 50, 130)], ids=str)
def sizes(request):
    """Rows, columns and depth."""
    return request.param


@pytest.fixture
def layer(drawn, dtype):
    """A linear layer of so many outputs and inputs."""

    def layer(outputs, inputs):
        linear = torch.nn.Linear(inputs, outputs, bias=False)
        linear.weight.data = drawn(outputs, inputs, dtype=dtype) / inputs**0.5
        return linear.requires_grad_(False)

    return layer


@pytest.fixture
def norm(drawn, dtype):
    def norm(width, scale=None):
        return Norm(drawn(width, dtype=dtype), 1e-5, scale)

    return norm


def test_rows_are_normed_and_multiplied(kernels, drawn, close, dtype, sizes, layer, norm):
    rows, columns, depth = sizes
    hidden, before, linear = drawn(1, rows, depth, dtype=dtype), norm(depth), layer(columns, depth)
    _, expected = transformer.enter(hidden, None, before, linear)
    close(kernels.normed_product(hidden, before, linear.weight, SMALL), expected)


def test_rows_are_normed_multiplied_and_gated(kernels, drawn, close, dtype, sizes, layer, norm):
    rows, columns, depth = sizes
    hidden, before = drawn(1, rows, depth, dtype=dtype), norm(depth)
    linear = layer(2 * columns, depth)
    _, expected = transformer.enter_gated(hidden, None, before, linear)
    close(kernels.gated_product(hidden, before, linear.weight, SMALL), expected)


@pytest.mark.parametrize("scale", [None, 0.25])
def test_a_product_is_added_to_what_was_there(kernels, drawn, close, dtype, sizes, layer, scale):
    rows, columns, depth = sizes
    x, hidden = drawn(1, rows, depth, dtype=dtype), drawn(1, rows, columns, dtype=dtype)
    linear = layer(columns, depth)
    expected = hidden + linear(x) * (scale or 1.0)
    close(kernels.added_product(x, linear.weight, hidden, scale, SMALL), expected)


def test_of_rows_that_do_not_lie_in_a_row_each_is_its_own(
    kernels, drawn, close, dtype, layer, norm
):
    hidden, before, linear = drawn(2, 7, 48, dtype=dtype)[:, 4:], norm(48), layer(20, 48)
    close(
        kernels.normed_product(hidden, before, linear.weight, SMALL),
        transformer.enter(hidden, None, before, linear)[1],
    )
    x, linear = drawn(2, 3, 40, dtype=dtype), layer(48, 40)
    close(kernels.added_product(x, linear.weight, hidden, None, SMALL), hidden + linear(x))


@pytest.mark.parametrize("tile", sorted({t for tiles in TILES.values() for t in tiles}))
def test_every_tile_that_is_tried_gives_the_same(kernels, drawn, close, tile, layer, norm, dtype):
    hidden, before, linear = drawn(3, 300, dtype=dtype), norm(300), layer(34, 300)
    close(
        kernels.normed_product(hidden, before, linear.weight, tile),
        transformer.enter(hidden, None, before, linear)[1],
    )


ROLES = ("enter", "leave", "enter_gated", "leave")


@pytest.mark.parametrize("chosen", list(product((False, True), repeat=4)), ids=str)
@pytest.mark.parametrize("scale", [None, 0.5])
def test_a_layer_is_the_same_whichever_of_its_products_are_hand_made(
    products, drawn, close, dtype, layer, norm, chosen, scale
):
    hidden, change = drawn(1, 3, 32, dtype=dtype), drawn(1, 3, 32, dtype=dtype)
    linears = layer(40, 32), layer(32, 40), layer(96, 32), layer(32, 48)
    norms = norm(32, scale), norm(32, scale), norm(32, scale)
    products.choice = {
        size_of(role, 3, linear): SMALL
        for role, linear, is_chosen in zip(ROLES, linears, chosen, strict=True)
        if is_chosen
    }
    assert len(products.choice) == sum(chosen)
    ours, plain = (
        through(side, hidden, change, norms, linears, scale) for side in (products, transformer)
    )
    close(ours, plain)


def through(side, hidden, change, norms, linears, scale):
    """A layer without attention, and the norm behind the last one."""
    qkv, out, gate_up, down = linears
    hidden, heads = side.enter(hidden, change, norms[0], qkv)
    hidden, change = side.leave(heads, out, hidden, scale)
    hidden, gated = side.enter_gated(hidden, change, norms[1], gate_up)
    hidden, change = side.leave(gated, down, hidden, scale)
    return side.finish(hidden, change, norms[2])


def test_more_rows_than_take_part_are_the_librarys(products, drawn, dtype, layer, norm):
    linear = layer(16, 32)
    products.choice = {Size("enter", most, 16, 32): SMALL for most in ROWS}
    many = drawn(ROWS[-1] + 1, 32, dtype=dtype)
    asked = []
    linear.register_forward_hook(lambda *_: asked.append("the library"))
    products.enter(many[:-1], None, norm(32), linear)
    assert not asked
    products.enter(many, None, norm(32), linear)
    assert asked
