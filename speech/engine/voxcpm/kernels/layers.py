"""What stands between a layer's products: norms, the gate, and guidance.

Rounds where the plain code does.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

GATE_BLOCK = 1024


def rms_norm(hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """As ``transformer.rms_norm``."""
    hidden = hidden.contiguous()
    normed = hidden.new_empty(hidden.shape)
    _norm[(normed.numel() // normed.shape[-1],)](
        hidden,
        hidden,
        hidden,
        normed,
        weight,
        1.0,
        epsilon,
        **_row(hidden),
        CHANGED=False,
        SCALED=False,
    )
    return normed


def add_norm(
    hidden: Tensor, change: Tensor, scale: float | None, weight: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """As ``transformer.add_norm``."""
    hidden, change = hidden.contiguous(), change.contiguous()
    added, normed = hidden.new_empty(hidden.shape), hidden.new_empty(hidden.shape)
    _norm[(normed.numel() // normed.shape[-1],)](
        hidden,
        change,
        added,
        normed,
        weight,
        1.0 if scale is None else scale,
        epsilon,
        **_row(hidden),
        CHANGED=True,
        SCALED=scale is not None,
    )
    return added, normed


def gate(joined: Tensor) -> Tensor:
    """As ``transformer.gate``."""
    width = joined.shape[-1] // 2
    passed = joined.new_empty(*joined.shape[:-1], width)
    rows = passed.numel() // width
    _gate[rows, triton.cdiv(width, GATE_BLOCK)](
        joined.contiguous(), passed, WIDTH=width, BLOCK=GATE_BLOCK, num_warps=4
    )
    return passed


def guide(guided: Tensor, free: Tensor, strength: Tensor) -> Tensor:
    """As ``solver.guide``."""
    together = guided.new_empty(guided.shape)
    count = guided[0].numel() if len(guided) else 0
    if count:
        _guide[(len(guided),)](
            guided.contiguous(),
            free.contiguous(),
            strength.contiguous(),
            together,
            COUNT=count,
            BLOCK=triton.next_power_of_2(count),
            num_warps=2,
        )
    return together


def _row(hidden: Tensor) -> dict[str, int]:
    width = hidden.shape[-1]
    return {"WIDTH": width, "BLOCK": triton.next_power_of_2(width), "num_warps": 4}


@triton.jit
def _norm(
    hidden, change, added, normed, weight, scale, epsilon,
    WIDTH: tl.constexpr, BLOCK: tl.constexpr, CHANGED: tl.constexpr, SCALED: tl.constexpr,
):  # fmt: skip
    """One token."""
    column = tl.arange(0, BLOCK)
    inside = column < WIDTH
    at = tl.program_id(0) * WIDTH + column
    token = tl.load(hidden + at, mask=inside, other=0.0)
    if CHANGED:
        more = tl.load(change + at, mask=inside, other=0.0)
        if SCALED:
            more = (more.to(tl.float32) * scale).to(token.dtype)
        token = (token.to(tl.float32) + more.to(tl.float32)).to(token.dtype)
        tl.store(added + at, token, mask=inside)
    wide = token.to(tl.float32)
    mean = tl.sum(wide * wide, 0) / WIDTH
    level = (wide * tl.rsqrt(mean + epsilon)).to(token.dtype)
    strength = tl.load(weight + column, mask=inside, other=0.0)
    result = (level.to(tl.float32) * strength.to(tl.float32)).to(token.dtype)
    tl.store(normed + at, result, mask=inside)


@triton.jit
def _gate(joined, passed, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """A piece of one token."""
    row = tl.program_id(0)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < WIDTH
    at = joined + row * 2 * WIDTH + column
    how_much = tl.load(at, mask=inside, other=0.0)
    what = tl.load(at + WIDTH, mask=inside, other=0.0)
    wide = how_much.to(tl.float32)
    opened = (wide / (1.0 + tl.exp(-wide))).to(what.dtype)
    result = (opened.to(tl.float32) * what.to(tl.float32)).to(what.dtype)
    tl.store(passed + row * WIDTH + column, result, mask=inside)


@triton.jit
def _guide(guided, free, strength, together, COUNT: tl.constexpr, BLOCK: tl.constexpr):
    """One stream's patch."""
    row = tl.program_id(0)
    place = tl.arange(0, BLOCK)
    at = row * COUNT + place
    towards = tl.load(guided + at, mask=place < COUNT, other=0.0)
    away = tl.load(free + at, mask=place < COUNT, other=0.0)
    away = away * (tl.sum(towards * away, 0) / (tl.sum(away * away, 0) + 1e-8))
    result = away + tl.load(strength + row) * (towards - away)
    tl.store(together + at, result, mask=place < COUNT)
