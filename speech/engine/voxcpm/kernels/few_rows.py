"""Products of few rows, with what stands before and behind them in a layer.

A product of few rows waits for its weights, so each of many small programs takes a few columns of
the result and reads all of their weights. In it every warp multiplies another slice of the depth:
one after the other, the steps along the depth would take longer than the weights. The norm before
is one factor for each row, known when the row was read, so it is applied behind. Sums are float32.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from speech.engine.voxcpm.race import Tile
from speech.engine.voxcpm.transformer import Norm

LEAST = 16
"""Rows of a product of the tensor cores."""
WARPS = 4


def normed_product(hidden: Tensor, norm: Norm, weight: Tensor, tile: Tile) -> Tensor:
    """``rms_norm``, and the product with ``weight`` [N, K]."""
    y = hidden.new_empty(*hidden.shape[:-1], len(weight))
    _launch(hidden, weight, y, tile, norm=norm)
    return y


def gated_product(hidden: Tensor, norm: Norm, weight: Tensor, tile: Tile) -> Tensor:
    """``normed_product`` and ``gate``."""
    y = hidden.new_empty(*hidden.shape[:-1], len(weight) // 2)
    _launch(hidden, weight, y, tile, norm=norm, is_gated=True)
    return y


def added_product(
    x: Tensor, weight: Tensor, hidden: Tensor, scale: float | None, tile: Tile
) -> Tensor:
    """``hidden``, and the product of ``x`` with ``weight`` [N, K], scaled, on top."""
    y = hidden.new_empty(hidden.shape)
    _launch(x, weight, y, tile, hidden=hidden, scale=scale)
    return y


def _launch(
    x: Tensor,
    weight: Tensor,
    y: Tensor,
    tile: Tile,
    *,
    norm: Norm | None = None,
    is_gated: bool = False,
    hidden: Tensor | None = None,
    scale: float | None = None,
) -> None:
    width, depth = y.shape[-1], x.shape[-1]
    rows = y.numel() // width
    _multiply[(triton.cdiv(width, tile.columns),)](
        x.contiguous(),
        weight,
        y,
        norm.weight if norm else weight,
        norm.epsilon if norm else 0.0,
        y if hidden is None else hidden.contiguous(),
        1.0 if scale is None else scale,
        rows,
        width,
        depth,
        NORMED=norm is not None,
        GATED=is_gated,
        ADDED=hidden is not None,
        SCALED=scale is not None,
        ROWS=max(LEAST, triton.next_power_of_2(rows)),
        COLUMNS=tile.columns,
        DEPTH=tile.depth,
        SLICES=WARPS,
        STAGES=tile.stages,
        num_warps=WARPS,
    )


@triton.jit
def _open(how_much, what):
    """``transformer.gate``"""
    wide = how_much.to(tl.float32)
    opened = (wide / (1.0 + tl.exp(-wide))).to(what.dtype)
    return (opened.to(tl.float32) * what.to(tl.float32)).to(what.dtype)


@triton.jit(do_not_specialize=["rows"])  # one kernel for any number of rows
def _multiply(
    x, weight, y, strength, epsilon, hidden, scale, rows, width, depth,
    NORMED: tl.constexpr, GATED: tl.constexpr, ADDED: tl.constexpr, SCALED: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, SLICES: tl.constexpr,
    STAGES: tl.constexpr,
):  # fmt: skip
    """All rows of a few columns; of the gate's two halves the same ones."""
    row = tl.arange(0, ROWS)
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    place = tl.arange(0, SLICES)[:, None] * DEPTH + tl.arange(0, DEPTH)[None, :]
    first = tl.zeros((SLICES, ROWS, COLUMNS), tl.float32)
    second = tl.zeros((SLICES, ROWS, COLUMNS), tl.float32)
    squares = tl.zeros((SLICES, ROWS, DEPTH), tl.float32)
    for begin in tl.range(0, depth, SLICES * DEPTH, num_stages=STAGES):
        k = begin + place
        at = row[None, :, None] * depth + k[:, None, :]
        inside = (row < rows)[None, :, None] & (k < depth)[:, None, :]
        token = tl.load(x + at, mask=inside, other=0.0)
        if NORMED:
            wide = token.to(tl.float32)
            squares += wide * wide
            strong = tl.load(strength + k, mask=k < depth, other=0.0).to(tl.float32)
            token = (wide * strong[:, None, :]).to(token.dtype)
        at = column[None, None, :] * depth + k[:, :, None]
        inside = (column < width)[None, None, :] & (k < depth)[:, :, None]
        part = tl.load(weight + at, mask=inside, other=0.0)
        first = tl.dot(token, part, first, input_precision="ieee")
        if GATED:
            part = tl.load(weight + width * depth + at, mask=inside, other=0.0)
            second = tl.dot(token, part, second, input_precision="ieee")
    sums, others = tl.sum(first, 0), tl.sum(second, 0)
    if NORMED:
        level = tl.rsqrt(tl.sum(tl.sum(squares, 2), 0) / depth + epsilon)[:, None]
        sums, others = sums * level, others * level
    result = sums.to(y.dtype.element_ty)
    if GATED:
        result = _open(result, others.to(result.dtype))
    at = row[:, None] * width + column[None, :]
    inside = (row < rows)[:, None] & (column < width)[None, :]
    if ADDED:
        if SCALED:
            result = (result.to(tl.float32) * scale).to(result.dtype)
        before = tl.load(hidden + at, mask=inside, other=0.0)
        result = (before.to(tl.float32) + result.to(tl.float32)).to(result.dtype)
    tl.store(y + at, result, mask=inside)
