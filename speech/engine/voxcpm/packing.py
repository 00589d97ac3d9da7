"""Weights packed for a CPU: laid out once as its products read them, in blocks.

Unpacked, each call lays them out again, which takes as long as the product itself where that has
few rows. Of bfloat16 alone, whose results are the same to the bit: products of float32 would move
to a library that keeps a kernel for each number of rows it has ever seen, and memory would grow.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from speech.engine.voxcpm.transformer import Layer


def can_pack(weight: Tensor) -> bool:
    """Whether this processor multiplies with such a weight packed; ARM's was never asked."""
    return (
        weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability().startswith("AVX")
        and weight.dtype == torch.bfloat16
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


class PackedLinear(nn.Module):
    """Takes and gives what an ``nn.Linear`` with this weight [N, K] and bias [N] does."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        # No buffers: these are not to be moved or converted.
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())
        self._bias = bias

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self._bias, "none", [], "")
        return y


def pack(model: nn.Module) -> None:
    """Pack the weights of all layers of ``model``'s transformers. The unpacked ones stay with the
    official package's modules, and free their memory with them."""
    for layer in model.modules():
        if not isinstance(layer, Layer):
            continue
        for name, child in layer.named_children():
            if type(child) is nn.Linear and can_pack(child.weight):
                setattr(layer, name, PackedLinear(child.weight, child.bias))
