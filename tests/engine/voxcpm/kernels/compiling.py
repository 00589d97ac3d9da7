"""Compiles every kernel that VoxCPM2's shapes ask for, for one generation of GPUs, without one.

    python -m tests.engine.voxcpm.kernels.compiling 90

Calls the kernels' own functions; where Triton would launch, it only compiles. Prints each kernel.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from speech.engine.voxcpm.attention import CachedAttention, SlotCache
from speech.engine.voxcpm.kernels import attention, few_rows, layers, vae
from speech.engine.voxcpm.kernels.few_rows import LEAST
from speech.engine.voxcpm.race import ROWS, TILES
from speech.engine.voxcpm.transformer import Norm
from speech.engine.voxcpm.vae_layers import Convolution, Pointwise, Residual, Snake

TYPES = {torch.float32: "*fp32", torch.bfloat16: "*bf16", torch.int64: "*i64"}
OPTIONS = ("num_warps", "num_stages")
COUNTS, SIZE = (16, 2), 128
ALIGNED = 16
"""Bytes of an address, or a number's factor."""


def main() -> None:
    target = GPUTarget("cuda", int(sys.argv[1]), 32)
    JITFunction.run = lambda kernel, *given, **named: compile_for(target, kernel, given, named)
    for dtype in (torch.bfloat16, torch.float32):
        attend(dtype)
        between_products(dtype)
    multiply_few_rows()
    decode()


def compile_for(target: GPUTarget, kernel: Any, given: Any, named: Any) -> None:
    """In place of a launch."""
    names = kernel.arg_names
    values = dict(zip(names, given, strict=False))
    values |= {name: named[name] for name in names if name in named}
    constants = {p.name: values[p.name] for p in kernel.params if p.is_constexpr}
    signature = {
        name: "constexpr" if name in constants else type_of(value) for name, value in values.items()
    }
    attributes = {
        (index,): [["tt.divisibility", ALIGNED]]
        for index, parameter in enumerate(kernel.params)
        if not (parameter.is_constexpr or parameter.do_not_specialize)
        and is_aligned(values[parameter.name])
    }
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attributes)
    options = {name: named[name] for name in OPTIONS if name in named}
    compiled = triton.compile(source, target=target, options=options)
    print(kernel.fn.__name__, compiled.metadata.shared, flush=True)


def type_of(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return TYPES[value.dtype]
    return "i32" if isinstance(value, int) else "fp32"


def is_aligned(value: Any) -> bool:
    """As Triton itself looks at what it launches: loads can be wide then."""
    return isinstance(value, torch.Tensor) or (type(value) is int and value % ALIGNED == 0)


def attend(dtype: torch.dtype) -> None:
    cache = SlotCache(1, 2, 64, COUNTS[1], SIZE, torch.device("cpu"), dtype)
    for steps, memory in (
        (11, None),
        (1, CachedAttention(cache, torch.arange(2), torch.zeros(2, 1).long(), 64).at(0)),
        (7, CachedAttention(cache, torch.arange(2), torch.arange(14).view(2, 7), 64).at(0)),
    ):
        heads = torch.randn(2, steps, COUNTS[0] + 2 * COUNTS[1], SIZE).to(dtype)
        rotation = torch.randn(2, steps, 1, SIZE), torch.randn(2, steps, 1, SIZE)
        attention.attend_tokens(heads, COUNTS, rotation, slice(None), memory)
        attention.attend_tokens(heads, COUNTS, None, slice(None), memory)


def between_products(dtype: torch.dtype) -> None:
    token, weight = torch.randn(3, 2048).to(dtype), torch.randn(2048).to(dtype)
    layers.rms_norm(token, weight, 1e-5)
    for scale in (None, 0.5):
        layers.add_norm(token, token, scale, weight, 1e-5)
    layers.gate(token)
    state, velocity = torch.randn(2, 4, 64), torch.randn(4, 4, 64).to(dtype)
    layers.step(state, velocity, torch.randn(2, 9)[:, 1], torch.arange(2), torch.randn(2, 1, 1))


def multiply_few_rows() -> None:
    drawn = partial(torch.randn, dtype=torch.bfloat16)
    norm, hidden = Norm(drawn(64), 1e-5, None), drawn(ROWS[-1], 64)
    for rows in (LEAST, ROWS[-1]):
        x = hidden[:rows]
        for tile in TILES["enter"]:
            few_rows.normed_product(x, norm, drawn(64, 64), tile)
        for tile in TILES["enter_gated"]:
            few_rows.gated_product(x, norm, drawn(128, 64), tile)
        for tile in TILES["leave"]:
            few_rows.added_product(x, drawn(64, 64), x, None, tile)
            few_rows.added_product(x, drawn(64, 64), x, 0.5, tile)


def decode() -> None:
    for channels in (1024, 32):
        first, second = Snake(torch.randn(channels)), Snake(torch.randn(channels))
        convolution = Convolution(torch.randn(channels, 1, 7), torch.randn(channels), 3, channels)
        mix = Pointwise(torch.randn(channels, channels, 1), torch.randn(channels), False)
        unit = Residual(first, convolution, second, mix)
        x = torch.randn(2, 20, channels)
        vae.residual(x, torch.randn(2, unit.context), unit)
        vae.snake(x, first.alpha, first.inverse)
        vae.pairs(x, torch.randn(2, channels), first)


if __name__ == "__main__":
    main()
