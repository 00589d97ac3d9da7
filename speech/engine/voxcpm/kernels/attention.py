"""Rotation and attention of one pass over a layer's tokens, each in one kernel.

Rounds as the plain code does: heads after their rotation, the softmax's shares before they are
multiplied with the values. Everything in between is float32.
"""

from __future__ import annotations

import math

import triton
import triton.language as tl
from torch import Tensor

from speech.engine.voxcpm.attention import Rotation, SlotMemory, attend

POSITIONS_AT_ONCE = {2: 64, 4: 16}
"""By the bytes of an element: what fits into the shared memory of any GPU."""
LEAST = 16
"""Rows and columns of a product of the tensor cores."""


def attend_tokens(
    heads: Tensor,
    counts: tuple[int, int],
    rotation: Rotation | None,
    kept: slice,
    memory: SlotMemory | None,
) -> Tensor:
    """As ``attention.attend_tokens``."""
    if memory is None:
        return _locally(heads, counts, rotation, kept)
    if heads.shape[1] == 1:
        return _newest(heads, counts, rotation, memory)
    return _prompt(heads, counts, rotation, memory)


def _locally(
    heads: Tensor, counts: tuple[int, int], rotation: Rotation | None, kept: slice
) -> Tensor:
    batch, steps, _, size = heads.shape
    first, end, _ = kept.indices(steps)
    mixed = heads.new_empty(batch, end - first, counts[0] * size)
    cosines, sines = rotation or (heads, heads)
    _attend_locally[batch, counts[0]](
        heads,
        cosines,
        sines,
        mixed,
        first,
        end - first,
        steps,
        1 / math.sqrt(size),
        **_shape(counts, size, rotation),
        QUERIES=_block(end - first),
        KEYS=_block(steps),
        num_warps=2,
    )
    return mixed


def _newest(
    heads: Tensor, counts: tuple[int, int], rotation: Rotation | None, memory: SlotMemory
) -> Tensor:
    batch, _, _, size = heads.shape
    queries, groups = counts
    mixed = heads.new_empty(batch, 1, queries * size)
    cosines, sines = rotation or (heads, heads)
    _attend_newest[batch, groups](
        heads,
        cosines,
        sines,
        memory.keys,
        memory.values,
        memory.rows,
        memory.positions,
        mixed,
        memory.keys.shape[1],
        memory.mask.shape[-1],
        1 / math.sqrt(size),
        **_shape(counts, size, rotation),
        QUERIES=_block(queries // groups),
        KEYS=POSITIONS_AT_ONCE[heads.element_size()],
        num_warps=4,
    )
    return mixed


def _prompt(
    heads: Tensor, counts: tuple[int, int], rotation: Rotation | None, memory: SlotMemory
) -> Tensor:
    batch, steps, width, size = heads.shape
    query = heads.new_empty(batch, steps, counts[0], size)
    cosines, sines = rotation or (heads, heads)
    _remember[(batch * steps,)](
        heads,
        cosines,
        sines,
        query,
        memory.keys,
        memory.values,
        memory.places,
        **_shape(counts, size, rotation),
        ROWS=triton.next_power_of_2(width),
        num_warps=4,
    )
    return attend(query, *memory.seen(), memory.mask)


def _shape(counts: tuple[int, int], size: int, rotation: Rotation | None) -> dict[str, int | bool]:
    return {
        "HEADS": counts[0],
        "GROUPS": counts[1],
        "SIZE": size,
        "WIDE": _block(size),
        "TURNED": rotation is not None,
    }


def _block(count: int) -> int:
    return max(LEAST, triton.next_power_of_2(count))


@triton.jit
def _turn(
    heads, cosines, sines, at, turn, inside,
    SIZE: tl.constexpr, WIDE: tl.constexpr, TURNED: tl.constexpr,
):  # fmt: skip
    """Heads that begin ``at`` [N, 1], rotated by the table's rows at ``turn``."""
    column = tl.arange(0, WIDE)[None, :]
    inside = inside & (column < SIZE)
    head = tl.load(heads + at + column, mask=inside, other=0.0)
    if TURNED:
        half: tl.constexpr = SIZE // 2
        other = tl.load(heads + at + (column + half) % SIZE, mask=inside, other=0.0)
        other = tl.where(column < half, -other.to(tl.float32), other.to(tl.float32))
        cosine = tl.load(cosines + turn + column, mask=inside, other=0.0)
        sine = tl.load(sines + turn + column, mask=inside, other=0.0)
        head = (head.to(tl.float32) * cosine + other * sine).to(head.dtype)
    return head


@triton.jit
def _attend_locally(
    heads, cosines, sines, mixed, first, kept, steps, scale,
    HEADS: tl.constexpr, GROUPS: tl.constexpr, SIZE: tl.constexpr, WIDE: tl.constexpr,
    TURNED: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr,
):  # fmt: skip
    """One head of one short sequence."""
    batch, head = tl.program_id(0), tl.program_id(1)
    group = head // (HEADS // GROUPS)
    width: tl.constexpr = (HEADS + 2 * GROUPS) * SIZE
    heads += batch * steps * width
    asked, known = tl.arange(0, QUERIES)[:, None], tl.arange(0, KEYS)[:, None]
    column = tl.arange(0, WIDE)[None, :]
    at, turn = (first + asked) * width + head * SIZE, (first + asked) * SIZE
    query = _turn(heads, cosines, sines, at, turn, asked < kept, SIZE, WIDE, TURNED)
    at = known * width + (HEADS + group) * SIZE
    key = _turn(heads, cosines, sines, at, known * SIZE, known < steps, SIZE, WIDE, TURNED)
    inside = (known < steps) & (column < SIZE)
    value = tl.load(heads + at + GROUPS * SIZE + column, mask=inside, other=0.0)
    score = tl.dot(query, tl.trans(key), input_precision="ieee") * scale
    score = tl.where(tl.arange(0, KEYS)[None, :] < steps, score, float("-inf"))
    share = tl.exp(score - tl.max(score, 1)[:, None])
    total = tl.sum(share, 1)[:, None]
    seen = tl.dot(share.to(value.dtype), value, input_precision="ieee") / total
    target = (batch * kept + asked) * HEADS * SIZE + head * SIZE + column
    tl.store(mixed + target, seen.to(value.dtype), mask=(asked < kept) & (column < SIZE))


@triton.jit
def _attend_newest(
    heads, cosines, sines, keys, values, rows, positions, mixed, length, bucket, scale,
    HEADS: tl.constexpr, GROUPS: tl.constexpr, SIZE: tl.constexpr, WIDE: tl.constexpr,
    TURNED: tl.constexpr, QUERIES: tl.constexpr, KEYS: tl.constexpr,
):  # fmt: skip
    """One token of one slot: all heads of a group. It is remembered, and sees what was before."""
    batch, group = tl.program_id(0), tl.program_id(1)
    share: tl.constexpr = HEADS // GROUPS
    heads += batch * (HEADS + 2 * GROUPS) * SIZE
    asked, column = tl.arange(0, QUERIES)[:, None], tl.arange(0, WIDE)[None, :]
    turn = batch * SIZE
    at = (group * share + asked) * SIZE
    query = _turn(heads, cosines, sines, at, turn, asked < share, SIZE, WIDE, TURNED)
    one = tl.zeros((1, 1), tl.int32)
    at = one + (HEADS + group) * SIZE
    key = _turn(heads, cosines, sines, at, turn, one == 0, SIZE, WIDE, TURNED)
    value = tl.load(heads + at + GROUPS * SIZE + column, mask=column < SIZE, other=0.0)

    position = tl.load(positions + batch)
    slot = tl.load(rows + batch) * length
    target = (slot + position) * GROUPS * SIZE + group * SIZE + column
    tl.store(keys + target, key, mask=column < SIZE)
    tl.store(values + target, value, mask=column < SIZE)

    top = tl.sum(query.to(tl.float32) * key.to(tl.float32), 1) * scale
    total = tl.zeros_like(top) + 1.0
    seen = tl.zeros((QUERIES, WIDE), tl.float32) + value.to(tl.float32)
    # Padding stands beyond the bucket, and has nothing to see.
    before = tl.where(position < bucket, position, 0)
    for begin in range(0, before, KEYS):
        known = begin + tl.arange(0, KEYS)
        source = (slot + known)[:, None] * GROUPS * SIZE + group * SIZE + column
        inside = (known < before)[:, None] & (column < SIZE)
        old_key = tl.load(keys + source, mask=inside, other=0.0)
        old_value = tl.load(values + source, mask=inside, other=0.0)
        score = tl.dot(query, tl.trans(old_key), input_precision="ieee") * scale
        score = tl.where((known < before)[None, :], score, float("-inf"))
        higher = tl.maximum(top, tl.max(score, 1))
        fade = tl.exp(top - higher)
        part = tl.exp(score - higher[:, None])
        total = total * fade + tl.sum(part, 1)
        seen = seen * fade[:, None]
        seen += tl.dot(part.to(old_value.dtype), old_value, input_precision="ieee")
        top = higher
    target = (batch * HEADS + group * share + asked) * SIZE + column
    inside = (asked < share) & (column < SIZE)
    tl.store(mixed + target, (seen / total[:, None]).to(mixed.dtype.element_ty), mask=inside)


@triton.jit
def _remember(
    heads, cosines, sines, queries, keys, values, places,
    HEADS: tl.constexpr, GROUPS: tl.constexpr, SIZE: tl.constexpr, WIDE: tl.constexpr,
    TURNED: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """One token's heads: queries go on, keys and values to the token's place in its slot."""
    token = tl.program_id(0)
    head, column = tl.arange(0, ROWS)[:, None], tl.arange(0, WIDE)[None, :]
    heads += token * (HEADS + 2 * GROUPS) * SIZE
    turned = _turn(
        heads, cosines, sines, head * SIZE, token * SIZE, head < HEADS + GROUPS, SIZE, WIDE, TURNED
    )
    inside = column < SIZE
    target = (token * HEADS + head) * SIZE + column
    tl.store(queries + target, turned, mask=inside & (head < HEADS))
    target = tl.load(places + token) * GROUPS * SIZE + column
    group = head - HEADS
    is_key = (group >= 0) & (group < GROUPS)
    tl.store(keys + target + group * SIZE, turned, mask=inside & is_key)
    group -= GROUPS
    is_value = (group >= 0) & (group < GROUPS)
    value = tl.load(heads + head * SIZE + column, mask=inside & is_value, other=0.0)
    tl.store(values + target + group * SIZE, value, mask=inside & is_value)
