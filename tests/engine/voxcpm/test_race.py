"""The race of products: what is faster is used, what is wrong is not, and the library is always
there. Clocks are made up here; ``tests/gpu`` has real ones."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm import race, transformer
from speech.engine.voxcpm.race import ROWS, TILES, Size, choose, size_of
from speech.engine.voxcpm.transformer import Transformer
from speech.engine.voxcpm.weights import load_model

QKV, OUT = Size("enter", 1, 40, 32), Size("leave", 1, 32, 32)
OPTIONS = {QKV: TILES["enter"], OUT: TILES["leave"]}


def costs(**of):
    """A clock that knows what each product costs, by its role, where it is hand-made by each of
    its tiles; by the library it costs 10."""

    def seconds(choice):
        spent = 0.0
        for size in OPTIONS:
            tile = choice.get(size)
            spent += of[size.role][TILES[size.role].index(tile)] if tile else 10
        return spent

    return seconds


def test_what_is_faster_is_used_by_its_fastest_tile():
    choice, share = choose(OPTIONS, costs(enter=(7, 5), leave=(6, 8)))
    assert choice == {QKV: TILES["enter"][1], OUT: TILES["leave"][0]}
    assert share == pytest.approx(11 / 20)


def test_a_product_that_loses_is_left_to_the_library_beside_one_that_wins():
    choice, share = choose(OPTIONS, costs(enter=(30, 20), leave=(6, 8)))
    assert choice == {OUT: TILES["leave"][0]}
    assert share == pytest.approx(16 / 20)


def test_where_all_lose_or_win_next_to_nothing_everything_is_the_librarys():
    assert choose(OPTIONS, costs(enter=(11, 12), leave=(11, 12))) == ({}, 1.0)
    assert choose(OPTIONS, costs(enter=(9.9, 9.9), leave=(9.9, 9.9))) == ({}, 1.0)


def test_where_there_is_no_tile_nothing_is_chosen():
    assert choose({QKV: [], OUT: []}, costs()) == ({}, 1.0)


def test_rows_count_as_the_next_number_that_was_raced():
    linear = torch.nn.Linear(32, 40, bias=False)
    counted = [size_of("enter", rows, linear).rows for rows in (1, 2, 16, 22, 32, 33)]
    assert counted == [1, 16, 16, 32, 32, 0]


class Products:
    """The plain functions; hand-made ones can be off or fail."""

    def __init__(self, off=0.0, fails=False):
        self.choice, self._off, self._fails = {}, off, fails

    def enter(self, hidden, change, norm, linear):
        hidden, product = transformer.enter(hidden, change, norm, linear)
        return hidden, self._made("enter", hidden, linear, product)

    def enter_gated(self, hidden, change, norm, linear):
        hidden, gated = transformer.enter_gated(hidden, change, norm, linear)
        return hidden, self._made("enter_gated", hidden, linear, gated)

    def leave(self, x, linear, hidden, scale):
        hidden, change = transformer.leave(x, linear, hidden, scale)
        return hidden, self._made("leave", x, linear, change)

    def _made(self, role, x, linear, product):
        if size_of(role, x.numel() // x.shape[-1], linear) not in self.choice:
            return product
        if self._fails:
            raise RuntimeError("no such instruction")
        return product * (1 + self._off)


@pytest.fixture(scope="module")
def transformers(tiny_v2):
    return transformers_of(tiny_v2, "bfloat16")


def transformers_of(folder, dtype):
    model = load_model(folder, "cpu", dtype)
    parts = model.base_lm, model.residual_lm, model.feat_encoder.encoder
    return [Transformer(each) for each in (*parts, model.feat_decoder.estimator.decoder)]


def won(products):
    """A clock for which each hand-made product saves the same, and counts how often it was asked;
    it runs what it times, as a true one does."""

    def clock(run):
        run()
        clock.asked += 1
        return 1.0 - 0.1 * len(products.choice)

    clock.asked = 0
    return clock


@torch.inference_mode()
def test_layers_of_the_same_sizes_run_once_for_each_number_of_rows(transformers):
    products = Products()
    told = race.run(transformers, products, clock := won(products))
    distinct = {
        size_of(role, rows, linear)
        for each in transformers
        for role, linear in race._products(each.layers[0])
        for rows in ROWS
    }
    assert set(products.choice) == distinct
    assert all(tile == TILES[size.role][0] for size, tile in products.choice.items())
    assert "of the time without" in told
    base, residual, *_ = transformers
    assert clock.asked
    again = Products()
    race.run((base,), again, once := won(again))
    twice = Products()
    race.run((base, residual), twice, both := won(twice))
    assert once.asked == both.asked < clock.asked


@torch.inference_mode()
@pytest.mark.parametrize("wrong", [{"off": 0.1}, {"off": float("nan")}, {"fails": True}], ids=str)
def test_a_product_that_is_wrong_or_cannot_be_does_not_take_part(transformers, wrong):
    products = Products(**wrong)
    told = race.run(transformers, products, won(products))
    assert products.choice == {}
    assert "of the time without" not in told


@torch.inference_mode()
def test_a_product_that_rounds_elsewhere_takes_part(transformers):
    products = Products(off=0.005)
    race.run(transformers, products, won(products))
    assert products.choice


@torch.inference_mode()
def test_a_race_that_is_broken_off_leaves_everything_to_the_library(transformers, caplog):
    def clock(run):
        raise RuntimeError("capture failed")

    products = Products()
    assert "none" in race.run(transformers, products, clock)
    assert products.choice == {}
    assert "capture failed" in caplog.text


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_in_other_precisions_there_is_no_race(tiny_v2, dtype):
    products = Products()
    race.run(transformers_of(tiny_v2, dtype), products, clock := won(products))
    assert not clock.asked and products.choice == {}
