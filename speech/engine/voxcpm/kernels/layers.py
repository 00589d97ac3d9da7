"""What stands between products: norms and the gate of a layer, and the solver's step.

Rounds where the plain code does.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

GATE_BLOCK = 1024
PLACES = 128
"""Of a batch; for more of them a kernel is compiled anew."""


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


def step(
    state: Tensor, velocity: Tensor, size: Tensor, guided: Tensor, strength: Tensor
) -> tuple[Tensor, Tensor]:
    """As ``solver.step``."""
    state = state.contiguous()
    moved, patch = torch.empty_like(state), velocity.new_empty(state.shape)
    count = state[0].numel()
    _step[(len(state),)](
        state,
        velocity.contiguous(),
        size,
        size.stride(0),
        guided,
        strength.contiguous(),
        moved,
        patch,
        len(state),
        len(guided),
        COUNT=count,
        BLOCK=triton.next_power_of_2(count),
        PLACES=max(PLACES, triton.next_power_of_2(len(guided))),
        num_warps=2,
    )
    return moved, patch


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


@triton.jit(do_not_specialize=["stride", "batch", "count"])
def _step(
    state, velocity, sizes, stride, guided, strength, moved, patch, batch, count,
    COUNT: tl.constexpr, BLOCK: tl.constexpr, PLACES: tl.constexpr,
):  # fmt: skip
    """One stream's patch."""
    row = tl.program_id(0)
    place = tl.arange(0, PLACES)
    is_one = place < count
    is_own = (tl.load(guided + place, mask=is_one, other=-1) == row) & is_one
    free, is_guided = tl.sum(tl.where(is_own, place, 0), 0), tl.sum(is_own.to(tl.int32), 0)
    how_much = tl.sum(tl.load(strength + place, mask=is_own, other=0.0), 0)
    value = tl.arange(0, BLOCK)
    inside, at = value < COUNT, row * COUNT + value
    towards = tl.load(velocity + at, mask=inside, other=0.0).to(tl.float32)
    other = velocity + (batch + free) * COUNT + value
    away = tl.load(other, mask=value < COUNT * is_guided, other=0.0).to(tl.float32)
    away = away * (tl.sum(towards * away, 0) / (tl.sum(away * away, 0) + 1e-8))
    led = away + how_much * (towards - away)
    towards = tl.where(is_guided > 0, led, towards)
    here = tl.load(state + at, mask=inside, other=0.0) - tl.load(sizes + row * stride) * towards
    tl.store(moved + at, here, mask=inside)
    tl.store(patch + at, here.to(patch.dtype.element_ty), mask=inside)
