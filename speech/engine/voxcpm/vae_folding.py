"""The official AudioVAE as layers that remember: weight norm computed once, one sample rate.

Reads the official modules and takes copies; they stay as they are. Knows no state and no slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm.vae_layers import (
    Convolution,
    Downsampling,
    Layer,
    Mixdown,
    Pointwise,
    Residual,
    Scale,
    Snake,
    Tanh,
    Upsampling,
)


def fold_encoder(encoder: Any, half: bool) -> list[Layer]:
    """Samples to latents: the mean alone, which is what the package uses."""
    return [*_layers(encoder.block, half), _convolution(encoder.fc_mu, half)]


def fold_decoder(vae: Any, half: bool) -> list[Layer]:
    """Latents to samples, at the rate that the model speaks with."""
    decoder = vae.decoder
    scales = getattr(decoder, "sr_cond_model", None) or [None] * len(decoder.model)
    layers: list[Layer] = []
    for module, scale in zip(decoder.model, scales, strict=True):
        if scale is not None:
            layers.append(_scale(scale, decoder, vae.out_sample_rate))
        layers.extend(_layers([module], half))
    return layers


def _layers(modules: Any, half: bool) -> Iterator[Layer]:
    for module in modules:
        match type(module).__name__:
            case "Snake1d":
                yield Snake(module.alpha)
            case "CausalConv1d":
                yield _convolution(module, half)
            case "CausalResidualUnit":
                yield Residual(*_layers(module.block, half))  # type: ignore[arg-type]
            case "CausalEncoderBlock":
                yield from _layers(module.block, half)
            case "CausalDecoderBlock":
                snake, convolution, *units = module.block
                yield _upsampling(snake, convolution, half)
                yield from _layers(units, half)
            case "Tanh":
                yield Tanh()
            case "NoiseBlock":
                raise EngineUnavailable(
                    "This model's AudioVAE adds noise of its own (use_noise_block); this engine"
                    " cannot repeat it."
                )
            case unknown:
                raise EngineUnavailable(f"This engine does not know the AudioVAE's {unknown}.")


def _convolution(module: Any, half: bool) -> Layer:
    weight, bias, stride = weight_of(module), _bias(module), module.stride[0]
    if stride > 1:
        # An odd stride is padded by one sample more in the first model than in the second.
        padding = -(-stride // 2) * 2 - getattr(module, "_CausalConv1d__output_padding", 0)
        return Downsampling(weight, bias, stride, padding, half)
    if weight.shape[2] == 1:
        return Pointwise(weight, bias, half)
    if weight.shape[0] == 1 and module.groups == 1 and weight.shape[1] > 1:
        return Mixdown(weight, bias, half)
    return Convolution(weight, bias, module.dilation[0], module.groups)


def _upsampling(snake: Any, convolution: Any, half: bool) -> Layer:
    first, stride = Snake(snake.alpha), convolution.stride[0]
    return Upsampling(first, weight_of(convolution), _bias(convolution), stride, half)


def weight_of(module: Any) -> Tensor:
    """The weight itself, as the package computes it on each call."""
    if hasattr(module, "weight_v"):
        return torch._weight_norm(module.weight_v.detach(), module.weight_g.detach(), 0)
    weight: Tensor = module.weight.detach()
    return weight


def _bias(module: Any) -> Tensor:
    bias: Tensor = module.bias.detach()
    return bias


def _scale(layer: Any, decoder: Any, rate: int) -> Scale:
    if layer.cond_type not in ("scale_bias", "scale_bias_init", "add") or (
        type(layer.out_layer).__name__ != "Identity"
    ):
        raise EngineUnavailable("This engine does not know how this AudioVAE is told its rate.")
    index = torch.bucketize(
        torch.tensor(rate, device=decoder.sr_bin_boundaries.device), decoder.sr_bin_boundaries
    )
    if layer.cond_type == "add":
        offset = layer.cond_embed.weight[index].detach()
        return Scale(torch.ones_like(offset), offset)
    return Scale(layer.scale_embed.weight[index], layer.bias_embed.weight[index])
