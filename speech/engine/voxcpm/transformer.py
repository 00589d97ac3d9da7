"""A MiniCPM4 transformer, run as few large products: queries, keys and values in one, gate and up
in another.

Takes its weights from a module of the official package, which stays usable: its parameters become
views into the fused ones. Equal to ``voxcpm.modules.minicpm4.MiniCPMModel``, which it follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speech.engine.voxcpm.attention import CachedAttention, Rotation, SlotMemory, attend_tokens
from speech.engine.voxcpm.fusing import Fuse


def side_by_side(*linears: nn.Linear) -> nn.Linear:
    """One Linear that computes all of ``linears`` side by side, whose weights become views."""
    weight = torch.cat([linear.weight.data for linear in linears])
    for linear, part in zip(
        linears, weight.split([linear.out_features for linear in linears]), strict=True
    ):
        linear.weight.data = part
    fused = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    fused.weight = nn.Parameter(weight, requires_grad=False)
    return fused


def rms_norm(hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """As the official package rounds it: the mean square in float32, the weight afterwards."""
    wide = hidden.float()
    scale = torch.rsqrt(wide.pow(2).mean(dim=-1, keepdim=True) + epsilon)
    return (wide * scale).to(hidden.dtype) * weight


def add_norm(
    hidden: Tensor, change: Tensor, scale: float | None, weight: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The sum of both, the change scaled, and the sum's ``rms_norm``."""
    hidden = hidden + (change if scale is None else change * scale)
    return hidden, rms_norm(hidden, weight, epsilon)


def gate(joined: Tensor) -> Tensor:
    """The two halves of the last axis: one says how much of the other passes."""
    how_much, what = joined.chunk(2, dim=-1)
    return F.silu(how_much) * what


class Norm(NamedTuple):
    """A norm before a product, and what scales the change that is added before it."""

    weight: Tensor
    epsilon: float
    scale: float | None


Product = Callable[[Tensor], Tensor]


def enter(
    hidden: Tensor, change: Tensor | None, norm: Norm, product: Product
) -> tuple[Tensor, Tensor]:
    """``hidden`` with what was still to be added to it, and the product of its norm."""
    if change is None:
        return hidden, product(rms_norm(hidden, norm.weight, norm.epsilon))
    hidden, normed = add_norm(hidden, change, norm.scale, norm.weight, norm.epsilon)
    return hidden, product(normed)


def enter_gated(
    hidden: Tensor, change: Tensor | None, norm: Norm, product: Product
) -> tuple[Tensor, Tensor]:
    """As ``enter``, the product having passed its gate."""
    hidden, joined = enter(hidden, change, norm, product)
    return hidden, gate(joined)


def leave(
    x: Tensor, product: Product, hidden: Tensor, scale: float | None
) -> tuple[Tensor, Tensor | None]:
    """``hidden``, and what is still to be added to it, scaled: the product of ``x``. None where it
    is added already."""
    return hidden, product(x)


def finish(hidden: Tensor, change: Tensor | None, norm: Norm) -> Tensor:
    """The norm of ``hidden`` with what was still to be added to it."""
    return enter(hidden, change, norm, lambda normed: normed)[1]


class Kernels(NamedTuple):
    """What a layer is made of; on a GPU there are kernels that do it."""

    enter: Callable[..., tuple[Tensor, Tensor]] = enter
    attend: Callable[..., Tensor] = attend_tokens
    leave: Callable[..., tuple[Tensor, Tensor | None]] = leave
    enter_gated: Callable[..., tuple[Tensor, Tensor]] = enter_gated
    finish: Callable[..., Tensor] = finish


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.heads: int = attention.num_heads
        self.groups: int = attention.num_key_value_heads
        self.size: int = attention.head_dim
        self.qkv = side_by_side(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out: nn.Linear = attention.o_proj
        self.gate_up = side_by_side(mlp.gate_proj, mlp.up_proj)
        self.down: nn.Linear = mlp.down_proj
        self.before_attention: nn.Parameter = layer.input_layernorm.weight
        self.before_mlp: nn.Parameter = layer.post_attention_layernorm.weight
        self.epsilon: float = layer.input_layernorm.variance_epsilon
        self.residual_scale = (
            layer.scale_depth / math.sqrt(layer.num_hidden_layers) if layer.use_mup else None
        )

    def forward(
        self,
        hidden: Tensor,
        change: Tensor | None,
        rotation: Rotation | None,
        memory: SlotMemory | None,
        kept: slice,
        kernels: Kernels,
    ) -> tuple[Tensor, Tensor | None]:
        """[B, T, H], and what the layer before would add to it, to the ``kept`` tokens' [B, T', H]
        and what this one would."""
        batch, steps, _ = hidden.shape
        scale, epsilon = self.residual_scale, self.epsilon
        norm = Norm(self.before_attention, epsilon, scale)
        hidden, heads = kernels.enter(hidden, change, norm, self.qkv)
        heads = heads.view(batch, steps, self.heads + 2 * self.groups, self.size)
        seen = kernels.attend(heads, (self.heads, self.groups), rotation, kept, memory)
        hidden, change = kernels.leave(seen, self.out, hidden[:, kept], scale)
        norm = Norm(self.before_mlp, epsilon, scale)
        hidden, gated = kernels.enter_gated(hidden, change, norm, self.gate_up)
        return kernels.leave(gated, self.down, hidden, scale)


EVERYTHING = slice(None)


class Transformer(nn.Module):
    """Layers, a last norm and the table of rotations."""

    def __init__(self, model: Any) -> None:
        """``model`` is a MiniCPMModel of the official package."""
        super().__init__()
        self.layers = nn.ModuleList(Layer(each) for each in model.layers)
        self.norm: nn.Parameter = model.norm.weight
        self.epsilon: float = model.norm.variance_epsilon
        self.cosines: Tensor | None = None
        self.sines: Tensor | None = None
        if model.rope_emb is not None:
            self.cosines = model.rope_emb.cos_cached.float()
            self.sines = model.rope_emb.sin_cached.float()
        self._kernels = Kernels()

    def fuse(self, fuse: Fuse) -> None:
        """Let ``fuse`` put kernels in the place of what layers are made of."""
        self._kernels = Kernels(*map(fuse, Kernels()))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, groups of heads, and a head's size: what a cache needs to know."""
        first = self.layers[0]
        assert isinstance(first, Layer)
        return len(self.layers), first.groups, first.size

    def rotation(self, positions: Tensor) -> Rotation | None:
        """For tokens at ``positions``; beyond the table's end counts as its last place."""
        if self.cosines is None or self.sines is None:
            return None
        positions = positions.clamp(max=len(self.cosines) - 1)
        return self.cosines[positions].unsqueeze(-2), self.sines[positions].unsqueeze(-2)

    def forward(
        self,
        hidden: Tensor,
        rotation: Rotation | None,
        attention: CachedAttention | None = None,
        kept: slice = EVERYTHING,
    ) -> Tensor:
        """[B, T, H] to [B, T', H]: the last layer computes only the tokens that are ``kept``.
        Without ``attention`` the tokens see each other."""
        last = len(self.layers) - 1
        change: Tensor | None = None
        for index, layer in enumerate(self.layers):
            which = kept if index == last else EVERYTHING
            memory = attention.at(index) if attention else None
            hidden, change = layer(hidden, change, rotation, memory, which, self._kernels)
        final = self.layers[last]
        assert isinstance(final, Layer)
        norm = Norm(self.norm, self.epsilon, final.residual_scale)
        return self._kernels.finish(hidden, change, norm)
