"""Causal layers that go on where they stopped, on sound laid out as [row, time, channel].

Each layer takes what it must remember of the past, flat, and gives back what it must remember
next, so that a piece of sound may be made from its new part alone. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speech.engine.voxcpm.fusing import Fuse

Step = tuple[Tensor, Tensor | None]


class Layer(nn.Module):
    """``context`` values of each row are remembered between calls; the others keep nothing."""

    context = 0

    def __call__(self, x: Tensor, past: Tensor) -> Step:  # its type, for mypy
        step: Step = super().__call__(x, past)
        return step

    def fuse(self, fuse: Fuse) -> None:
        """Let ``fuse`` make one kernel of what would be several passes over the memory."""

    def keep(self, **tensors: Tensor) -> None:
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor.detach().clone().contiguous(), persistent=False)


class Product(nn.Module):
    """A matrix product over the channels, in float32 or with bfloat16 factors."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, half: bool) -> None:
        super().__init__()
        self.half_precision = half
        dtype = torch.bfloat16 if half else torch.float32
        for name, tensor in (("weight", weight), ("bias", bias)):
            self.register_buffer(name, tensor.detach().to(dtype).clone().contiguous(), False)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        if self.half_precision:
            product = torch.addmm(self.bias, rows.bfloat16(), self.weight).float()
        else:
            product = torch.addmm(self.bias, rows, self.weight)
        return product.view(*x.shape[:-1], -1)


def snake(x: Tensor, alpha: Tensor, inverse: Tensor) -> Tensor:
    """``x + sin²(αx) / α``, with few passes over the memory."""
    return torch.addcmul(x, (x * alpha).sin_().square_(), inverse)


class Snake(Layer):
    """The decoder's nonlinearity."""

    alpha: Tensor
    inverse: Tensor

    def __init__(self, alpha: Tensor) -> None:
        super().__init__()
        alpha = alpha.detach().flatten()
        self.keep(alpha=alpha, inverse=(alpha + 1e-9).reciprocal())
        self._snake: Callable[..., Tensor] = snake

    def fuse(self, fuse: Fuse) -> None:
        self._snake = fuse(snake)

    def snake(self, x: Tensor) -> Tensor:
        return self._snake(x, self.alpha, self.inverse)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        return self.snake(x), None


class Scale(Layer):
    """What a decoder block is told of the sample rate, which is one and the same here."""

    factor: Tensor
    offset: Tensor

    def __init__(self, factor: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.keep(factor=factor, offset=offset)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        return torch.addcmul(self.offset, x, self.factor), None


class Pointwise(Layer):
    """A convolution over one sample."""

    def __init__(self, weight: Tensor, bias: Tensor, half: bool) -> None:
        super().__init__()
        self.product = Product(weight[:, :, 0].T, bias, half)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        return self.product(x), None


class Convolution(Layer):
    """A convolution over the past, mostly of each channel for itself."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, dilation: int, groups: int) -> None:
        super().__init__()
        self.dilation, self.groups = dilation, groups
        self.frames = dilation * (weight.shape[2] - 1)
        self.channels = weight.shape[1] * groups
        self.context = self.frames * self.channels
        self.keep(bias=bias)
        plane = weight.detach()[:, :, None].contiguous(memory_format=torch.channels_last)
        self.register_buffer("weight", plane.clone(), persistent=False)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        heard = torch.cat([past.view(len(x), self.frames, self.channels), x], 1)
        kept = heard[:, heard.shape[1] - self.frames :].flatten(1)
        plane = F.conv2d(
            heard.transpose(1, 2)[:, :, None],  # a view, of a plane one sample high
            self.weight,
            self.bias,
            dilation=(1, self.dilation),
            groups=self.groups,
        )
        return plane[:, :, 0].transpose(1, 2), kept


class Mixdown(Layer):
    """The last convolution, of all channels to one."""

    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, half: bool) -> None:
        super().__init__()
        _, self.channels, self.taps = weight.shape
        self.context = (self.taps - 1) * self.channels
        self.keep(bias=bias)
        self.product = Product(weight[0], torch.zeros(self.taps), half)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        heard = torch.cat([past.view(len(x), self.taps - 1, self.channels), x], 1)
        kept = heard[:, heard.shape[1] - self.taps + 1 :].flatten(1)
        by_tap, length = self.product(heard), x.shape[1]
        y = by_tap[:, :length, 0] + self.bias
        for tap in range(1, self.taps):
            y = y + by_tap[:, tap : tap + length, tap]
        return y[:, :, None], kept


class Upsampling(Layer):
    """A nonlinearity, and a transposed convolution of twice its stride: each sample meets the one
    before it."""

    def __init__(self, first: Snake, weight: Tensor, bias: Tensor, stride: int, half: bool) -> None:
        super().__init__()
        self.context = weight.shape[0]
        self.first = first
        halves = torch.cat([weight[:, :, :stride], weight[:, :, stride:]])
        self.stride = stride
        self.product = Product(halves.transpose(1, 2).flatten(1), bias.repeat(stride), half)
        self._pairs: Callable[..., Tensor] = pairs

    def fuse(self, fuse: Fuse) -> None:
        self._pairs = fuse(pairs)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        met = self._pairs(x, past, self.first)
        y = self.product(met)
        return y.view(len(x), x.shape[1] * self.stride, -1), met[:, -1, : self.context]


def pairs(x: Tensor, past: Tensor, first: Snake) -> Tensor:
    """Each sample of [B, T, C] after the nonlinearity, and the one before it: [B, T, 2C]."""
    bent = first.snake(x)
    return torch.cat([bent, torch.cat([past[:, None], bent[:, :-1]], 1)], 2)


class Downsampling(Layer):
    """A convolution of twice its stride, as two products over pieces of one stride."""

    def __init__(self, weight: Tensor, bias: Tensor, stride: int, padding: int, half: bool) -> None:
        super().__init__()
        self.stride, self.frames, self.channels = stride, padding, weight.shape[1]
        self.context = padding * self.channels
        by_time = weight.permute(2, 1, 0)
        self.early = Product(by_time[:stride].flatten(0, 1), bias, half)
        self.late = Product(by_time[stride:].flatten(0, 1), torch.zeros_like(bias), half)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        heard = torch.cat([past.view(len(x), self.frames, self.channels), x], 1)
        kept = heard[:, heard.shape[1] - self.frames :].flatten(1)
        pieces = heard[:, : x.shape[1] + self.stride].reshape(
            len(x), -1, self.stride * self.channels
        )
        return self.early(pieces[:, :-1]) + self.late(pieces[:, 1:]), kept


class Residual(Layer):
    """A convolution of each channel and one over the channels, added to what came in."""

    def __init__(
        self, first: Snake, convolution: Convolution, second: Snake, mix: Pointwise
    ) -> None:
        super().__init__()
        self.first, self.convolution, self.second, self.mix = first, convolution, second, mix
        self.context = convolution.context
        self._residual: Callable[..., Step] = residual

    def fuse(self, fuse: Fuse) -> None:
        if self.convolution.groups == self.convolution.channels:
            self._residual = fuse(residual)

    def forward(self, x: Tensor, past: Tensor) -> Step:
        return self._residual(x, past, self)


def residual(x: Tensor, past: Tensor, unit: Residual) -> Step:
    """What ``unit`` makes of [B, T, C] after ``past``."""
    y, kept = unit.convolution(unit.first.snake(x), past)
    return unit.mix.product(unit.second.snake(y)).add_(x), kept


class Tanh(Layer):
    def forward(self, x: Tensor, past: Tensor) -> Step:
        return x.tanh(), None


class Chain(nn.Module):
    """Layers in a row, and their memory in one tensor of [row, value]."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.sizes = [layer.context for layer in layers]
        self.context = sum(self.sizes)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, list[Tensor]]:
        kept = []
        for layer, before in zip(self.layers, past.split(self.sizes, 1), strict=True):
            x, after = layer(x, before)
            if after is not None:
                kept.append(after)
        return x, kept
