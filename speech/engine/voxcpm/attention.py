"""Attention over slots: keys and values of many sequences in one tensor, a row for each slot.

Grouped queries attend to a bucket of positions, as long as the longest sequence in the batch needs,
never to the whole cache. Knows nothing of layers or weights.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST_BUCKET = 64
"""Positions: shorter sequences share a shape, so that few graphs cover all of them."""


def length_bucket(length: int, longest: int) -> int:
    """The power of two that holds ``length`` positions, at most ``longest``."""
    bucket = SMALLEST_BUCKET
    while bucket < length:
        bucket *= 2
    return min(bucket, longest)


Rotation = tuple[Tensor, Tensor]
"""Cosines and sines of [.., T, 1, D], in float32."""


def rotate(heads: Tensor, rotation: Rotation) -> Tensor:
    """Rotary position embedding of [.., T, heads, D], computed in float32."""
    cosine, sine = rotation
    wide = heads.float()
    left, right = wide.chunk(2, dim=-1)
    return (wide * cosine + torch.cat((-right, left), dim=-1) * sine).to(heads.dtype)


def split_heads(
    heads: Tensor, counts: tuple[int, int], rotation: Rotation | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of [B, T, heads, D]: so many query and key heads, and as many value
    heads as keys; all but the values are rotated."""
    queries, groups = counts
    turned, value = heads.split((queries + groups, groups), dim=2)
    if rotation is not None:
        turned = rotate(turned, rotation)
    query, key = turned.split((queries, groups), dim=2)
    return query, key, value


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Grouped-query attention without the expanded keys that the flag ``enable_gqa`` may cost.

    ``query`` is [B, T, heads, D], ``key`` and ``value`` are [B, L, groups, D], ``mask`` is
    [B, 1, T, L] and True where a query may look. The heads of one group stand in one row of the
    score matrix, as if they were further queries. Returns [B, T, heads * D].
    """
    batch, steps, heads, size = query.shape
    groups = key.shape[2]
    share = heads // groups
    query = query.view(batch, steps, groups, share, size).permute(0, 2, 3, 1, 4)
    query = query.reshape(batch, groups, share * steps, size)
    if mask is not None and steps > 1:
        mask = mask.repeat(1, 1, share, 1)
    mixed = F.scaled_dot_product_attention(
        query, key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask
    )
    mixed = mixed.view(batch, groups, share, steps, size).permute(0, 3, 1, 2, 4)
    return mixed.reshape(batch, steps, heads * size)


def attend_tokens(
    heads: Tensor,
    counts: tuple[int, int],
    rotation: Rotation | None,
    kept: slice,
    memory: SlotMemory | None,
) -> Tensor:
    """What the ``kept`` tokens of one layer see: [B, T', queries * D].

    ``heads`` [B, T, heads, D] are as ``split_heads`` takes them. Without ``memory`` every token
    sees every other one of its own short sequence; with it the tokens are remembered, and each
    sees what its slot has heard until then.
    """
    query, key, value = split_heads(heads, counts, rotation)
    if memory is None:
        return attend(query[:, kept], key, value)
    memory.remember(key, value)
    return attend(query[:, kept], *memory.seen(), memory.mask)


class SlotCache:
    """Keys and values of one language model.

    One row per slot and a scratch row for padding; one column per position and a scratch column
    that takes what padded tokens write. Neither is ever read for a sequence.
    """

    def __init__(
        self,
        layers: int,
        slots: int,
        length: int,
        groups: int,
        size: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """Room for ``length`` positions of ``groups`` heads of ``size`` in every slot."""
        shape = (layers, slots + 1, length + 1, groups, size)
        self.length = length
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)

    def places(self, rows: Tensor, positions: Tensor) -> Tensor:
        """Where ``positions`` [B, T] of ``rows`` [B] lie in a layer, flattened."""
        return (rows.unsqueeze(1) * (self.length + 1) + positions).flatten()

    def prefix(self, row: int, length: int) -> Tensor:
        """A copy of the first ``length`` positions of ``row``: [2, layers, length, groups, D]."""
        return torch.stack((self.keys[:, row, :length], self.values[:, row, :length]))

    def restore(self, row: int, prefix: Tensor) -> None:
        """Put a ``prefix`` back, into whichever row."""
        length = prefix.shape[2]
        self.keys[:, row, :length] = prefix[0]
        self.values[:, row, :length] = prefix[1]

    def clear(self, row: int, length: int) -> None:
        """Forget ``row``: what is masked out still counts where it is not a number."""
        self.keys[:, row, :length] = 0
        self.values[:, row, :length] = 0


class SlotMemory(NamedTuple):
    """What one layer keeps of all slots, and where the tokens [B, T] of a pass belong in it."""

    keys: Tensor
    values: Tensor
    """[slots, length, groups, D]"""
    rows: Tensor
    """[B]: the slot of each sequence."""
    positions: Tensor
    """[B, T]"""
    places: Tensor
    """[B * T]: the same, counted through all slots."""
    mask: Tensor
    """[B, 1, T, bucket]: what each token may look at."""

    def remember(self, key: Tensor, value: Tensor) -> None:
        """Write [B, T, groups, D] to its places."""
        for store, new in ((self.keys, key), (self.values, value)):
            store.view(-1, *store.shape[2:]).index_copy_(0, self.places, new.flatten(0, 1))

    def seen(self) -> tuple[Tensor, Tensor]:
        """Keys and values [B, bucket, groups, D] of the rows."""
        bucket = self.mask.shape[-1]
        keys, values = (each[:, :bucket] for each in (self.keys, self.values))
        return keys.index_select(0, self.rows), values.index_select(0, self.rows)


class CachedAttention:
    """Causal attention of the tokens of a step over all that their slots have seen before."""

    def __init__(self, cache: SlotCache, rows: Tensor, positions: Tensor, bucket: int) -> None:
        """Tokens [B, T] at ``positions`` of ``rows``; no position read lies beyond ``bucket``."""
        self._cache = cache
        columns = torch.arange(bucket, device=positions.device)
        mask = (columns <= positions.unsqueeze(-1)).unsqueeze(1)
        self._tokens = rows, positions, cache.places(rows, positions), mask

    def at(self, layer: int) -> SlotMemory:
        """One layer's: with tensors of its own."""
        return SlotMemory(self._cache.keys[layer], self._cache.values[layer], *self._tokens)
