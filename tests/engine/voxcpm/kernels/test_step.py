"""A step of the models by all kernels together is the plain one, whoever does the products."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm import race
from speech.engine.voxcpm.model import BatchedModel
from speech.engine.voxcpm.race import ROWS
from speech.engine.voxcpm.weights import load_model

pytestmark = pytest.mark.slow

SLOTS, LENGTH, EVALUATIONS = 2, 64, 2
CLOSE = 0.02
"""In float16, as a share; what a wrong kernel says is off by as much as it is large."""


@pytest.fixture
def model(tiny_v2):
    with torch.inference_mode():
        return BatchedModel(load_model(tiny_v2, "cpu", "float16"), SLOTS, LENGTH)


@pytest.fixture(params=[True, False], ids=["hand-made", "the library's"])
def fusion(request, model, monkeypatch):
    """The model with kernels; its products are hand-made after a race that all of them have won."""
    from speech.engine.voxcpm.kernels import Products, fusion

    products = Products()
    monkeypatch.setattr(race, "DTYPE", torch.float16)
    if request.param:
        with torch.inference_mode():
            race.run(model.transformers, products, lambda _: 1 - 0.1 * len(products.choice))
        assert {size.rows for size in products.choice} == set(ROWS)
    fused = fusion(products)
    model.fuse(fused)
    return fused


def staged(model, drawn):
    """The same state in all slots, every time; their rows, and noise."""
    for row in range(SLOTS):
        model.clear(row, LENGTH)
        model.begin(row, 10, 2.0, None)
    for tensor in (model.state.hidden, model.state.residual, model.state.patch):
        tensor[:SLOTS] = drawn[tensor.shape[1:]]
    model.state.positions[:SLOTS] = torch.tensor([0, 7])
    return torch.arange(SLOTS), drawn[model.state.patch.shape[1:]]


def step(model, drawn):
    rows, noise = staged(model, drawn)
    patch = model.emit(rows, noise, EVALUATIONS, torch.tensor([1]))
    model.keep(rows, patch)
    model.advance(rows, LENGTH)
    return patch, model.state.hidden[:SLOTS].clone(), model.state.residual[:SLOTS].clone()


@torch.inference_mode()
def test_a_step_of_the_models_is_what_it_was(model, fusion, drawn):
    shapes = {each.shape[1:] for each in (model.state.hidden, model.state.patch)}
    given = {shape: drawn(SLOTS, *shape, dtype=torch.float16) for shape in shapes}
    with fusion.paused():
        expected = step(model, given)
    offs = [
        (ours.float() - plain.float()).norm() / plain.float().norm()
        for ours, plain in zip(step(model, given), expected, strict=True)
    ]
    assert 0 < max(offs) <= CLOSE  # not nothing: they round elsewhere
