"""Attention over slots: keys and values of many sequences in one tensor, a row for each slot.

Grouped queries attend to a bucket of positions, as long as the longest sequence in the batch needs,
never to the whole cache. Knows nothing of layers or weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

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


Mix = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys and values of one layer's tokens to what they see; shapes as in ``attend``."""


class Attention(Protocol):
    """What the tokens of a pass see, layer by layer."""

    def at(self, layer: int) -> Mix:
        """For one layer: with tensors of its own, so that one compiled layer serves for all."""


class LocalAttention:
    """Every token sees every other one of its own short sequence."""

    def at(self, layer: int) -> Mix:
        del layer
        return attend


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


class LayerMemory:
    """A ``Mix`` over what one layer keeps of the slots."""

    def __init__(self, keys: Tensor, values: Tensor, rows: Tensor, places: Tensor, mask: Tensor):
        """``keys`` and ``values`` are [slots, length, groups, D]; ``mask`` is [B, 1, T, L]."""
        self.keys, self.values = keys, values
        self.rows, self.places, self.mask = rows, places, mask

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        keys, values = self._remember(self.keys, key), self._remember(self.values, value)
        return attend(query, keys, values, self.mask)

    def _remember(self, store: Tensor, new: Tensor) -> Tensor:
        """Write [B, T, groups, D] to its places; read the bucket's positions [B, L, groups, D]."""
        store.view(-1, *store.shape[2:]).index_copy_(0, self.places, new.flatten(0, 1))
        return store[:, : self.mask.shape[-1]].index_select(0, self.rows)


class CachedAttention:
    """Causal attention of the tokens of a step over all that their slots have seen before."""

    def __init__(self, cache: SlotCache, rows: Tensor, positions: Tensor, bucket: int) -> None:
        """Tokens [B, T] at ``positions`` of ``rows``; no position read lies beyond ``bucket``."""
        self._cache = cache
        self._rows = rows
        self._places = cache.places(rows, positions)
        columns = torch.arange(bucket, device=positions.device)
        self._mask = (columns <= positions.unsqueeze(-1)).unsqueeze(1)

    def at(self, layer: int) -> Mix:
        keys, values = self._cache.keys[layer], self._cache.values[layer]
        return LayerMemory(keys, values, self._rows, self._places, self._mask)
