"""Our audio is the official package's own, whatever else is in the batch."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tests.engine.voxcpm.repertoire import EXTREMES, QUICK, TAKES, ZERO_SHOT
from tests.engine.voxcpm.stock import load_stock
from tests.engine.voxcpm.takes import Take, make_runner, speak

CLOSE = 1e-5


def slow(*values):
    """The same again, for the long run of the tests."""
    return pytest.param(*values, marks=pytest.mark.slow)


every_kind = pytest.mark.parametrize("architecture", [slow("voxcpm"), slow("voxcpm1.5"), "voxcpm2"])


@pytest.fixture(scope="module")
def told(tiny, tmp_path_factory):
    """A model's folder, takes, and what the package says of them."""
    recordings = tmp_path_factory.mktemp("recordings")

    @cache
    def told(architecture):
        folder, takes = tiny(architecture), TAKES[architecture]
        stock = load_stock(folder)
        return folder, takes, [take.by_stock(stock, recordings) for take in takes]

    return told


@pytest.fixture
def known(told, architecture):
    return told(architecture)


def assert_equal(ours, expected):
    for index, (one, other) in enumerate(zip(ours, expected, strict=True)):
        assert one.shape == other.shape, f"take {index}"
        assert np.abs(one - other).max() <= CLOSE, f"take {index}"


@pytest.mark.parametrize(
    ("architecture", "slots"),
    [
        slow("voxcpm", 3),
        ("voxcpm2", 3),
        slow("voxcpm1.5", 1),
        slow("voxcpm1.5", 3),
        slow("voxcpm2", 8),
    ],
)
def test_every_take_is_the_packages_own_in_any_company(known, slots):
    folder, takes, expected = known
    assert_equal(speak(make_runner(folder, slots=slots, max_length=512), takes), expected)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [slow("voxcpm"), "voxcpm2"])
def test_so_is_the_least_and_the_most_that_may_be_asked_for(tiny, architecture, tmp_path):
    stock = load_stock(tiny(architecture))
    expected = [take.by_stock(stock, tmp_path) for take in EXTREMES]
    runner = make_runner(tiny(architecture), slots=3, max_length=256)
    assert_equal(speak(runner, EXTREMES), expected)


@pytest.mark.parametrize(
    ("architecture", "budget"),
    [slow("voxcpm", 7), slow("voxcpm", 31), slow("voxcpm1.5", 31), slow("voxcpm2", 7)],
)
def test_it_is_the_same_in_prompt_pieces_of_any_size(known, budget):
    folder, takes, expected = known
    runner = make_runner(folder, slots=4, max_length=512)
    assert_equal(speak(runner, takes, budget=budget), expected)


@every_kind
@pytest.mark.slow
def test_it_is_the_same_for_those_who_join_later(known):
    folder, takes, expected = known
    joins = {index: 3 * index for index in range(len(takes))}
    assert_equal(speak(make_runner(folder, slots=3, max_length=512), takes, joins=joins), expected)


@every_kind
def test_neighbours_and_successors_of_those_who_left_are_not_touched(known):
    folder, takes, expected = known
    runner = make_runner(folder, slots=2, max_length=512)
    ours = speak(runner, takes, cancels={0: 2, 1: 3})
    assert len(ours[0]) < len(expected[0])
    assert_equal(ours[2:], expected[2:])


@pytest.mark.slow
@every_kind
def test_a_voice_is_encoded_once_and_sounds_the_same_from_the_cache(known):
    folder, takes, expected = known
    runner = make_runner(folder, slots=2, max_length=512)
    voices = {take.utterance().voice.key for take in takes if take.reference or take.prompt}
    speak(runner, takes)
    assert_equal(speak(runner, takes), expected)
    assert runner.loaded.voices.misses == len(voices)


@pytest.mark.slow
@every_kind
def test_what_is_not_a_number_reaches_neither_neighbour_nor_successor(known):
    folder, takes, expected = known
    runner = make_runner(folder, slots=2, max_length=512)

    @torch.inference_mode()
    def poison(step):
        state = runner.loaded.model.state
        if step == 1:
            state.hidden[0] = state.patch[0] = torch.nan
            runner.loaded.model.base_cache.values[:, 0, :8] = torch.nan

    ours = speak(runner, [takes[0], takes[1], *takes], cancels={0: 4}, before=poison)
    assert not np.isfinite(ours[0]).all()
    assert_equal(ours[1:], [expected[1], *expected])


def test_a_neighbour_changes_no_bit_in_a_batch_of_the_same_shape(tiny_v2):
    runner = make_runner(tiny_v2, slots=2, max_length=256)
    other = replace(ZERO_SHOT, seed=99, text="Hello again, this is another.")
    lone = [
        speak(runner, [QUICK, neighbour], cancels={0: 3, 1: 3})[0]
        for neighbour in (ZERO_SHOT, other)
    ]
    assert np.array_equal(lone[0], lone[1])


def never_stop(head):
    head.weight.data.zero_()


@pytest.mark.slow
def test_150_patches_do_not_drift(tiny_v1, tmp_path):
    stock = load_stock(tiny_v1)
    runner = make_runner(tiny_v1, slots=4, max_length=512)
    never_stop(stock.tts_model.stop_head)
    never_stop(runner.loaded.model.stop_head[-1])
    take = Take("A long take, far beyond the first bucket of positions.", 2, 4, patches=150)
    others = [replace(take, text=f"Number {n}.", seed=11 + n, patches=40) for n in range(3)]
    expected = take.by_stock(stock, tmp_path)
    assert len(expected) == 150 * 1280
    assert_equal(speak(runner, [take, *others])[:1], [expected])
