"""A residual unit of AudioVAE's decoder in two kernels and a product.

The first hears: it applies the unit's first nonlinearity and puts the past before it. The second
convolves each channel and applies the second nonlinearity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import triton
import triton.language as tl
from torch import Tensor

if TYPE_CHECKING:
    from speech.engine.voxcpm.vae_layers import Convolution, Residual, Snake, Step

BLOCK = 1024
SAMPLES, CHANNELS = 64, 64
"""What one program convolves."""


def snake(x: Tensor, alpha: Tensor, inverse: Tensor) -> Tensor:
    """As ``vae_layers.snake``."""
    x = x.contiguous()
    y = torch.empty_like(x)
    count = x.numel()
    _snake_all[(triton.cdiv(count, BLOCK),)](
        x, alpha, inverse, y, count, CHANNELS=x.shape[-1], BLOCK=BLOCK, num_warps=4
    )
    return y


def pairs(x: Tensor, past: Tensor, first: Snake) -> Tensor:
    """As ``vae_layers.pairs``."""
    x = x.contiguous()
    batch, length, channels = x.shape
    met = x.new_empty(batch, length, 2 * channels)
    _pair_all[batch, triton.cdiv((length + 1) * channels, BLOCK)](
        x,
        past,
        past.stride(0),
        first.alpha,
        first.inverse,
        met,
        length,
        CHANNELS=channels,
        BLOCK=BLOCK,
        num_warps=4,
    )
    return met


def residual(x: Tensor, past: Tensor, unit: Residual) -> Step:
    """As ``vae_layers.residual``."""
    x = x.contiguous()
    heard, kept = _hear(x, past, unit.first, unit.convolution)
    y = torch.empty_like(x)
    batch, length, count = x.shape
    channels = min(CHANNELS, triton.next_power_of_2(count))
    convolution, second = unit.convolution, unit.second
    _convolve[batch, triton.cdiv(length, SAMPLES), triton.cdiv(count, channels)](
        heard,
        convolution.weight,
        convolution.bias,
        second.alpha,
        second.inverse,
        y,
        length,
        convolution.frames,
        DILATION=convolution.dilation,
        TAPS=convolution.weight.shape[-1],
        COUNT=count,
        SAMPLES=SAMPLES,
        CHANNELS=channels,
        num_warps=4,
    )
    return unit.mix.product(y).add_(x), kept


def _hear(x: Tensor, past: Tensor, first: Snake, convolution: Convolution) -> tuple[Tensor, Tensor]:
    batch, length, channels = x.shape
    frames = convolution.frames
    heard = x.new_empty(batch, frames + length, channels)
    kept = x.new_empty(batch, frames * channels)
    grid: Any = batch, triton.cdiv((frames + length) * channels, BLOCK)
    _hear_all[grid](
        x,
        past,
        past.stride(0),
        first.alpha,
        first.inverse,
        heard,
        kept,
        length * channels,
        frames * channels,
        CHANNELS=channels,
        BLOCK=BLOCK,
        num_warps=4,
    )
    return heard, kept


@triton.jit
def _snake(x, alpha, inverse):
    wave = tl.sin(x * alpha)
    return x + wave * wave * inverse


@triton.jit
def _snake_all(x, alpha, inverse, y, count, CHANNELS: tl.constexpr, BLOCK: tl.constexpr):
    """A piece of all samples."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside, channel = at < count, at % CHANNELS
    sample = tl.load(x + at, mask=inside, other=0.0)
    sample = _snake(sample, tl.load(alpha + channel), tl.load(inverse + channel))
    tl.store(y + at, sample, mask=inside)


@triton.jit
def _pair_all(
    x, past, past_stride, alpha, inverse, met, length, CHANNELS: tl.constexpr, BLOCK: tl.constexpr
):
    """A piece of one row and what was before it: a sample stands beside itself and the next."""
    row = tl.program_id(0)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    time, channel = at // CHANNELS - 1, at % CHANNELS
    inside, is_new = time < length, time >= 0
    sample = tl.load(
        x + (row * length + time) * CHANNELS + channel, mask=inside & is_new, other=0.0
    )
    sample = _snake(sample, tl.load(alpha + channel), tl.load(inverse + channel))
    before = tl.load(past + row * past_stride + channel, mask=time < 0, other=0.0)
    sample = tl.where(is_new, sample, before)
    target = met + (row * length + time) * 2 * CHANNELS + channel
    tl.store(target, sample, mask=inside & is_new)
    tl.store(target + 3 * CHANNELS, sample, mask=time + 1 < length)


@triton.jit
def _hear_all(
    x, past, past_stride, alpha, inverse, heard, kept, new, old,
    CHANNELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """A piece of one row: ``old`` values from before, and ``new`` ones, of which the last stay."""
    row = tl.program_id(0)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    is_new, inside = at >= old, at < old + new
    channel = (at - old) % CHANNELS
    sample = tl.load(x + row * new + at - old, mask=inside & is_new, other=0.0)
    a = tl.load(alpha + channel, mask=is_new, other=0.0)
    sample = _snake(sample, a, tl.load(inverse + channel, mask=is_new, other=0.0))
    before = tl.load(past + row * past_stride + at, mask=inside & (at < old), other=0.0)
    sample = tl.where(is_new, sample, before)
    tl.store(heard + row * (old + new) + at, sample, mask=inside)
    tl.store(kept + row * old + at - new, sample, mask=inside & (at >= new))


@triton.jit
def _convolve(
    heard, taps, bias, alpha, inverse, y, length, frames,
    DILATION: tl.constexpr, TAPS: tl.constexpr, COUNT: tl.constexpr,
    SAMPLES: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """A piece of one row's samples and channels."""
    row = tl.program_id(0)
    time = tl.program_id(1) * SAMPLES + tl.arange(0, SAMPLES)[:, None]
    channel = tl.program_id(2) * CHANNELS + tl.arange(0, CHANNELS)[None, :]
    known = channel < COUNT
    inside = (time < length) & known
    sample = tl.zeros((SAMPLES, CHANNELS), tl.float32)
    sample += tl.load(bias + channel, mask=known, other=0.0)
    for tap in tl.static_range(TAPS):
        source = (row * (frames + length) + time + tap * DILATION) * COUNT + channel
        part = tl.load(heard + source, mask=inside, other=0.0)
        sample += part * tl.load(taps + channel * TAPS + tap, mask=known, other=0.0)
    a = tl.load(alpha + channel, mask=known, other=0.0)
    sample = _snake(sample, a, tl.load(inverse + channel, mask=known, other=0.0))
    tl.store(y + (row * length + time) * COUNT + channel, sample, mask=inside)
