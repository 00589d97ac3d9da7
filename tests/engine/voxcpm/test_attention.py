"""Attention over slots sees what a sequence has seen, and nothing of anybody else."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from speech.engine.voxcpm.attention import (
    CachedAttention,
    SlotCache,
    attend,
    attend_tokens,
    length_bucket,
)

HEADS, GROUPS, SIZE = 4, 2, 8


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def expanded(query, key, value, **options):
    """The same by torch's own grouped attention."""
    mixed = F.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        enable_gqa=True,
        **options,
    )
    return mixed.transpose(1, 2).flatten(2)


def see(attention, query, key, value, layer=0):
    """What tokens see that are remembered."""
    heads = torch.cat((query, key, value), dim=2)
    return attend_tokens(heads, (HEADS, GROUPS), None, slice(None), attention.at(layer))


@pytest.mark.parametrize("steps", [1, 5])
def test_grouped_queries_see_what_expanded_keys_would_show(steps):
    query, key, value = (
        drawn(3, steps, HEADS, SIZE),
        *(drawn(3, 9, GROUPS, SIZE + i)[..., :SIZE] for i in (0, 1)),
    )
    assert torch.allclose(attend(query, key, value), expanded(query, key, value), atol=1e-6)


def test_a_prompt_in_pieces_is_seen_as_if_whole():
    query, key, value = (drawn(1, 10, count, SIZE) for count in (HEADS, GROUPS, GROUPS))
    cache = SlotCache(1, 3, 16, GROUPS, SIZE, torch.device("cpu"), torch.float32)
    rows = torch.tensor([2])
    seen = []
    for part in (slice(0, 4), slice(4, 5), slice(5, 10)):
        positions = torch.arange(part.start, part.stop).unsqueeze(0)
        attention = CachedAttention(cache, rows, positions, 16)
        seen.append(see(attention, query[:, part], key[:, part], value[:, part]))
    whole = expanded(query, key, value, is_causal=True)
    assert torch.allclose(torch.cat(seen, dim=1), whole, atol=1e-6)


def remember(cache, layer, row, positions, new):
    """Let one slot hear ``new`` [1, T, groups, D] at ``positions`` [T]."""
    attention = CachedAttention(cache, torch.tensor([row]), positions.unsqueeze(0), 8)
    see(attention, drawn(1, len(positions), HEADS, SIZE), new, new, layer)


def test_slots_of_different_lengths_share_a_step():
    cache = SlotCache(1, 2, 16, GROUPS, SIZE, torch.device("cpu"), torch.float32)
    rows, positions = torch.tensor([1, 0]), torch.tensor([[3], [0]])
    past = drawn(1, 3, GROUPS, SIZE)
    remember(cache, 0, 1, torch.arange(3), past)
    query, new = drawn(2, 1, HEADS, SIZE), drawn(2, 1, GROUPS, SIZE)
    got = see(CachedAttention(cache, rows, positions, 8), query, new, new)
    long = torch.cat((past, new[:1]), dim=1)
    assert torch.allclose(got[:1], expanded(query[:1], long, long), atol=1e-6)
    assert torch.allclose(got[1:], expanded(query[1:], new[1:], new[1:]), atol=1e-6)


def test_what_padding_writes_is_never_read():
    cache = SlotCache(1, 1, 8, GROUPS, SIZE, torch.device("cpu"), torch.float32)
    padded = torch.full((1, 1, GROUPS, SIZE), torch.nan)
    remember(cache, 0, 0, torch.tensor([cache.length]), padded)
    query, new = drawn(1, 1, HEADS, SIZE), drawn(1, 1, GROUPS, SIZE)
    last = torch.tensor([[cache.length - 1]])
    attention = CachedAttention(cache, torch.tensor([0]), last, cache.length)
    seen = see(attention, query, new, new)
    assert not seen.isnan().any()


def test_a_prefix_moves_to_another_slot_and_is_forgotten_when_cleared():
    cache = SlotCache(2, 2, 8, GROUPS, SIZE, torch.device("cpu"), torch.float32)
    new = drawn(1, 3, GROUPS, SIZE)
    for layer in range(2):
        remember(cache, layer, 0, torch.arange(3), new)
    cache.restore(1, cache.prefix(0, 3))
    assert torch.equal(cache.keys[:, 1], cache.keys[:, 0])
    cache.clear(0, 3)
    assert not cache.keys[:, 0].any() and cache.keys[:, 1].any()


def test_buckets_double_up_to_the_longest():
    assert [length_bucket(n, 200) for n in (1, 64, 65, 129, 200)] == [64, 64, 128, 200, 200]
