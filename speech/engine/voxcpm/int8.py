"""Linear layers with 8-bit weights, for the CPU, where a step waits for the memory of its weights.

Weights are rounded by output channel once, activations by call; sums are exact. A call is rounded
by its largest value, so what a row becomes depends a little on the rows beside it.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from speech.engine.errors import EngineUnavailable

LARGEST = 127


class Int8Linear(nn.Module):
    """Takes and gives what the ``nn.Linear`` it replaces does, within about 1 %."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(1).clamp(min=1e-12) / LARGEST
        bits = (weight / scale[:, None]).round().to(torch.int8)
        zeros = torch.zeros(len(scale), dtype=torch.long)
        with warnings.catch_warnings():
            # Tensors of this kind will go; the product below takes no other, and torch is pinned.
            warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
            rounded = torch._make_per_channel_quantized_tensor(bits, scale.double(), zeros, 0)
        given: Tensor | None = linear.bias
        bias = None if given is None else given.detach().float()
        self._packed = torch.ops.quantized.linear_prepack(rounded, bias)
        # Without these instructions of the processor, products of 8 bits overflow in pairs.
        self._seven_bits = not torch.cpu._is_vnni_supported()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.quantized.linear_dynamic(x.float(), self._packed, self._seven_bits)
        return y.to(x.dtype)


def quantize(module: nn.Module) -> int:
    """Replace each ``nn.Linear`` inside the module; says how many. They free their memory."""
    count = 0
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            if child.weight.device.type != "cpu":
                raise EngineUnavailable("int8 is for models that run on the CPU.")
            setattr(module, name, Int8Linear(child))
            count += 1
        else:
            count += quantize(child)
    return count
