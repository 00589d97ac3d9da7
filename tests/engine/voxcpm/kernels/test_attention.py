"""The attention kernels see what the plain code sees."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm.attention import CachedAttention, SlotCache, attend_tokens

pytestmark = pytest.mark.slow

SLOTS, LENGTH, BUCKET = 3, 200, 128
EVERYTHING = slice(None)


@pytest.fixture
def kernel():
    from speech.engine.voxcpm.kernels import attention

    return attention.attend_tokens


@pytest.fixture(params=[(4, 1, 24), (8, 2, 64)], ids=["odd", "large"])
def sizes(request):
    """Query heads, groups of them, and a head's size."""
    return request.param


@pytest.fixture(params=[True, False], ids=["turned", "as they are"])
def turned(request):
    return request.param


def rotation(drawn, turned, *shape):
    return (drawn(*shape), drawn(*shape)) if turned else None


@pytest.mark.parametrize(
    ("steps", "kept"), [(11, EVERYTHING), (11, slice(7, None)), (5, slice(0, 1))]
)
def test_tokens_of_a_short_sequence_see_each_other(
    kernel, drawn, close, dtype, sizes, turned, steps, kept
):
    queries, groups, size = sizes
    heads = drawn(2, steps, queries + 2 * groups, size, dtype=dtype)
    given = heads, (queries, groups), rotation(drawn, turned, steps, 1, size), kept, None
    close(kernel(*given), attend_tokens(*given))


class Slots:
    """Two caches with the same past, one for each side."""

    def __init__(self, drawn, dtype, sizes):
        self.queries, self.groups, self.size = sizes
        self.caches = [
            SlotCache(2, SLOTS, LENGTH, self.groups, self.size, torch.device("cpu"), dtype)
            for _ in range(2)
        ]
        keys, values = (drawn(*self.caches[0].keys.shape, dtype=dtype) for _ in range(2))
        for cache in self.caches:
            cache.keys.copy_(keys)
            cache.values.copy_(values)

    def both(self, kernel, heads, rotation, rows, positions):
        """What each side sees."""
        counts = self.queries, self.groups
        sides = zip(self.caches, (attend_tokens, kernel), strict=True)
        memories = [
            (CachedAttention(cache, rows, positions, BUCKET).at(1), side) for cache, side in sides
        ]
        return [side(heads, counts, rotation, EVERYTHING, memory) for memory, side in memories]

    def assert_remember_the_same(self, close):
        ours, plain = self.caches
        close(ours.keys, plain.keys)
        close(ours.values, plain.values)


def test_a_new_token_is_remembered_and_sees_what_its_slot_has_heard(
    kernel, drawn, close, dtype, sizes, turned
):
    slots = Slots(drawn, dtype, sizes)
    rows, positions = torch.tensor([2, 0, 1]), torch.tensor([[0], [65], [127]])
    heads = drawn(3, 1, slots.queries + 2 * slots.groups, slots.size, dtype=dtype)
    turn = rotation(drawn, turned, 3, 1, 1, slots.size)
    plain, ours = slots.both(kernel, heads, turn, rows, positions)
    close(ours, plain)
    slots.assert_remember_the_same(close)


def test_padding_sees_nothing_and_disturbs_nobody(kernel, drawn, close, dtype, sizes):
    slots = Slots(drawn, dtype, sizes)
    rows, positions = torch.tensor([1, SLOTS, SLOTS]), torch.tensor([[40], [LENGTH], [LENGTH]])
    heads = drawn(3, 1, slots.queries + 2 * slots.groups, slots.size, dtype=dtype)
    plain, ours = slots.both(kernel, heads, None, rows, positions)
    close(ours[:1], plain[:1])
    assert ours.isfinite().all()
    for cache in slots.caches:  # the scratch column takes what padding writes
        cache.keys[:, SLOTS], cache.values[:, SLOTS] = 0, 0
    slots.assert_remember_the_same(close)


def test_prompts_of_different_lengths_are_remembered_and_seen(
    kernel, drawn, close, dtype, sizes, turned
):
    slots = Slots(drawn, dtype, sizes)
    rows = torch.tensor([0, 2])
    positions = torch.stack((torch.arange(7), torch.arange(20, 27)))
    positions[0, 4:] = LENGTH
    heads = drawn(2, 7, slots.queries + 2 * slots.groups, slots.size, dtype=dtype)
    plain, ours = slots.both(
        kernel, heads, rotation(drawn, turned, 2, 7, 1, slots.size), rows, positions
    )
    close(ours[:1, :4], plain[:1, :4])
    close(ours[1:], plain[1:])
