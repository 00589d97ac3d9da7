"""A MiniCPM4 transformer, run as few large products: queries, keys and values in one, gate and up
in another.

Takes its weights from a module of the official package, which stays usable: its parameters become
views into the fused ones. Equal to ``voxcpm.modules.minicpm4.MiniCPMModel``, which it follows.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speech.engine.voxcpm.attention import Attention

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines of [.., T, 1, D], in float32."""


def fuse(*linears: nn.Linear) -> nn.Linear:
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


def rotate(heads: Tensor, rotation: Rotation) -> Tensor:
    """Rotary position embedding of [.., T, heads, D], computed in float32."""
    cosine, sine = rotation
    wide = heads.float()
    left, right = wide.chunk(2, dim=-1)
    return (wide * cosine + torch.cat((-right, left), dim=-1) * sine).to(heads.dtype)


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, layer: Any, index: int) -> None:
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.index = index
        self.heads: int = attention.num_heads
        self.groups: int = attention.num_key_value_heads
        self.size: int = attention.head_dim
        self.qkv = fuse(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out: nn.Linear = attention.o_proj
        self.gate_up = fuse(mlp.gate_proj, mlp.up_proj)
        self.down: nn.Linear = mlp.down_proj
        self.before_attention: nn.Parameter = layer.input_layernorm.weight
        self.before_mlp: nn.Parameter = layer.post_attention_layernorm.weight
        self.epsilon: float = layer.input_layernorm.variance_epsilon
        self.residual_scale = (
            layer.scale_depth / math.sqrt(layer.num_hidden_layers) if layer.use_mup else None
        )

    def forward(
        self, hidden: Tensor, rotation: Rotation | None, attention: Attention, kept: slice
    ) -> Tensor:
        """[B, T, H] to the ``kept`` tokens' [B, T', H]."""
        batch, steps, _ = hidden.shape
        normed = rms_norm(hidden, self.before_attention, self.epsilon)
        heads = self.qkv(normed).view(batch, steps, self.heads + 2 * self.groups, self.size)
        turned, value = heads.split((self.heads + self.groups, self.groups), dim=2)
        if rotation is not None:
            turned = rotate(turned, rotation)
        query, key = turned.split((self.heads, self.groups), dim=2)
        mixed = attention(self.index, query[:, kept], key, value)
        hidden = self._add(hidden[:, kept], self.out(mixed))
        normed = rms_norm(hidden, self.before_mlp, self.epsilon)
        gate, up = self.gate_up(normed).chunk(2, dim=-1)
        return self._add(hidden, self.down(F.silu(gate) * up))

    def _add(self, hidden: Tensor, change: Tensor) -> Tensor:
        return hidden + (change if self.residual_scale is None else change * self.residual_scale)


EVERYTHING = slice(None)


class Transformer(nn.Module):
    """Layers, a last norm and the table of rotations."""

    def __init__(self, model: Any) -> None:
        """``model`` is a MiniCPMModel of the official package."""
        super().__init__()
        self.layers = nn.ModuleList(Layer(each, i) for i, each in enumerate(model.layers))
        self.norm: nn.Parameter = model.norm.weight
        self.epsilon: float = model.norm.variance_epsilon
        self.cosines: Tensor | None = None
        self.sines: Tensor | None = None
        if model.rope_emb is not None:
            self.cosines = model.rope_emb.cos_cached.float()
            self.sines = model.rope_emb.sin_cached.float()

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
        attention: Attention,
        kept: slice = EVERYTHING,
    ) -> Tensor:
        """[B, T, H] to [B, T', H]: the last layer computes only the tokens that are ``kept``."""
        last = len(self.layers) - 1
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, rotation, attention, kept if index == last else EVERYTHING)
        return rms_norm(hidden, self.norm, self.epsilon)
