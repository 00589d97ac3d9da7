"""Full-size models with random weights, in the true shapes, built in memory on their device.

Shapes are those of the published ``config.json`` of each model; what such a model says is noise.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speech.engine.voxcpm.checkpoint import Architecture, Checkpoint
from speech.engine.voxcpm.devices import choose_device
from speech.engine.voxcpm.official import import_voxcpm
from speech.engine.voxcpm.weights import DTYPES, build_model

SMALL_LM = {
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "max_position_embeddings": 32768,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "rope_scaling": {
        "type": "longrope",
        "long_factor": [1.0] * 32,
        "short_factor": [1.0] * 32,
        "original_max_position_embeddings": 32768,
    },
    "vocab_size": 73448,
    "use_mup": False,
    "scale_emb": 12,
    "dim_model_base": 256,
    "scale_depth": 1.4,
}
LARGE_LM = {
    **SMALL_LM,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_hidden_layers": 28,
    "kv_channels": 128,
    "rope_scaling": {
        "type": "longrope",
        "long_factor": [1.0] * 64,
        "short_factor": [1.0] * 64,
        "original_max_position_embeddings": 32768,
    },
}
PART = {"hidden_dim": 1024, "ffn_dim": 4096, "num_heads": 16}


def _parts(layers: int, **more: Any) -> dict[str, Any]:
    part = {**PART, "num_layers": layers, **more}
    return {"encoder_config": part, "dit_config": {**part, "cfm_config": {}}}


CONFIGS: dict[str, dict[str, Any]] = {
    "voxcpm-0.5b": {
        "lm_config": SMALL_LM,
        "patch_size": 2,
        "residual_lm_num_layers": 6,
        "scalar_quantization_latent_dim": 256,
        "audio_vae_config": {},
        "max_length": 4096,
        **_parts(4),
    },
    "voxcpm1.5": {
        "lm_config": SMALL_LM,
        "patch_size": 4,
        "residual_lm_num_layers": 8,
        "scalar_quantization_latent_dim": 256,
        "audio_vae_config": {
            "encoder_dim": 64,
            "encoder_rates": [2, 3, 6, 7, 7],
            "decoder_dim": 2048,
            "decoder_rates": [7, 7, 6, 3, 2],
            "sample_rate": 44100,
        },
        "max_length": 4096,
        **_parts(8),
    },
    "voxcpm2": {
        "lm_config": LARGE_LM,
        "patch_size": 4,
        "residual_lm_num_layers": 8,
        "residual_lm_no_rope": True,
        "scalar_quantization_latent_dim": 512,
        "audio_vae_config": {},
        "max_length": 8192,
        **_parts(12, kv_channels=128),
    },
}
RANDOM = 1 << 22
"""Random numbers that are drawn; they repeat through the weights."""


class Words:
    """A tokenizer of about as many tokens as the models' own, which nobody needs to download."""

    vocab: dict[str, int] = {}

    def tokenize(self, text: str) -> list[str]:
        """Words in pieces of five letters."""
        return re.findall(r"\w{1,5}|[^\w\s]", text)

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        """Numbers of ordinary tokens."""
        return [200 + sum(map(ord, token)) % 10_000 for token in tokens]


def build(name: str, device: str, dtype: str) -> Any:
    """A model of the official package, of random weights, ready to run."""
    import_voxcpm()
    from voxcpm.model import voxcpm, voxcpm2

    kind = voxcpm2 if name == "voxcpm2" else voxcpm
    config = kind.VoxCPMConfig.model_validate({**CONFIGS[name], "dtype": dtype})
    chosen = choose_device(device)
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = build_model(config, Words(), chosen)
    torch.manual_seed(0)
    drawn = torch.randn(RANDOM, device=chosen)
    state = {
        key: _random(key, value, drawn, torch.float32 if "audio_vae" in key else DTYPES[dtype])
        for key, value in model.state_dict().items()
    }
    model.load_state_dict(state, assign=True)
    if name == "voxcpm2":
        bounds = torch.tensor(model.audio_vae.sr_bin_boundaries, dtype=torch.int32)
        model.audio_vae.decoder.sr_bin_boundaries = bounds.to(chosen)
    return model.to(chosen).eval().requires_grad_(False)


def checkpoint_of(name: str) -> Checkpoint:
    """What a directory with the model would be described as."""
    config = CONFIGS[name]
    rate = {"voxcpm-0.5b": 16_000, "voxcpm1.5": 44_100, "voxcpm2": 48_000}[name]
    architecture: Architecture = "voxcpm2" if name == "voxcpm2" else "voxcpm"
    nowhere = Path(name)
    return Checkpoint(
        path=nowhere,
        architecture=architecture,
        name=name,
        sample_rate=rate,
        patch_size=config["patch_size"],
        feat_dim=64,
        max_length=config["max_length"],
        dtype="bfloat16",
        weights=nowhere,
        vae=nowhere,
    )


def _random(key: str, like: Tensor, drawn: Tensor, dtype: torch.dtype) -> Tensor:
    """Weights that keep what goes through them at about the same size."""
    if not like.is_floating_point():
        return torch.zeros(like.shape, dtype=like.dtype, device=drawn.device)
    if key.endswith(("weight_g", "alpha")) or ("norm" in key and like.ndim == 1):
        last = key.endswith("weight_g") and like.numel() == 1
        return torch.full(like.shape, 0.2 if last else 1.0, dtype=dtype, device=drawn.device)
    if like.ndim == 1:
        return torch.zeros(like.shape, dtype=dtype, device=drawn.device)
    count = like.numel()
    repeated = drawn.repeat(math.ceil(count / len(drawn)))[:count]
    return (repeated / math.sqrt(count / like.shape[0])).to(dtype).view(like.shape)
