"""Official models of full size with random weights, built in memory within seconds, for speed, and
written into files where a server is to load them.

The shapes are those of the published models; what they say means nothing, and they never stop by
themselves. Knows no engine.
"""

from __future__ import annotations

import copy
import json
import tempfile
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speech.engine.voxcpm.official import import_voxcpm
from speech.engine.voxcpm.weights import DTYPES, build_model, fill, quiet
from tests.engine.voxcpm.checkpoints import scale_vae, write_weights
from tests.engine.voxcpm.tiny_tokenizer import write_tokenizer

RANDOM_VALUES = 4_194_301  # a prime: no two rows of a weight begin at the same of them
FRAMES_TO_SCALE = 4


def _lm(head_dim: int, **sizes: Any) -> dict[str, Any]:
    return {
        "bos_token_id": 1,
        "eos_token_id": 2,
        "max_position_embeddings": 32768,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rope_scaling": {
            "type": "longrope",
            "long_factor": [1.0] * (head_dim // 2),
            "short_factor": [1.0] * (head_dim // 2),
            "original_max_position_embeddings": 32768,
        },
        "vocab_size": 73448,
        "use_mup": False,
        "scale_emb": 12,
        "dim_model_base": 256,
        "scale_depth": 1.4,
        **sizes,
    }


def _part(layers: int, **more: Any) -> dict[str, Any]:
    sizes = {"hidden_dim": 1024, "ffn_dim": 4096}
    return sizes | {"num_heads": 16, "num_layers": layers, **more}


SMALL_LM = _lm(64, hidden_size=1024, intermediate_size=4096, num_hidden_layers=24)
CONFIGS: dict[str, dict[str, Any]] = {
    "voxcpm-0.5b": {
        "lm_config": SMALL_LM,
        "patch_size": 2,
        "residual_lm_num_layers": 6,
        "encoder_config": _part(4),
        "dit_config": _part(4, cfm_config={}),
        "audio_vae_config": {},  # the package's own numbers are this model's
        "max_length": 4096,
    },
    "voxcpm1.5": {
        "lm_config": SMALL_LM,
        "patch_size": 4,
        "residual_lm_num_layers": 8,
        "encoder_config": _part(8),
        "dit_config": _part(8, cfm_config={}),
        "audio_vae_config": {
            "encoder_dim": 64,
            "encoder_rates": [2, 3, 6, 7, 7],
            "decoder_dim": 2048,
            "decoder_rates": [7, 7, 6, 3, 2],
            "sample_rate": 44100,
        },
        "max_length": 4096,
    },
    "voxcpm2": {
        "lm_config": _lm(
            128, hidden_size=2048, intermediate_size=6144, num_hidden_layers=28, kv_channels=128
        ),
        "patch_size": 4,
        "residual_lm_num_layers": 8,
        "residual_lm_no_rope": True,
        "scalar_quantization_latent_dim": 512,
        "encoder_config": _part(12, kv_channels=128),
        "dit_config": _part(12, kv_channels=128, cfm_config={}),
        "audio_vae_config": {},
        "max_length": 8192,
    },
    # No published model: a look, which shows that a benchmark runs.
    "tiny": {
        "lm_config": _lm(16, hidden_size=256, intermediate_size=512, num_hidden_layers=2),
        "patch_size": 2,
        "residual_lm_num_layers": 2,
        "encoder_config": _part(2, hidden_dim=256, ffn_dim=512),
        "dit_config": _part(2, hidden_dim=256, ffn_dim=512, cfm_config={}),
        "audio_vae_config": {"encoder_dim": 8, "decoder_dim": 96},
        "max_length": 2048,
    },
}


def build(name: str, device: str = "cpu", dtype: str = "bfloat16", seed: int = 0) -> Any:
    """The official module, ready to run but for its KV caches, which are not set up."""
    import_voxcpm()
    from voxcpm.model import voxcpm, voxcpm2

    kind = voxcpm2 if name == "voxcpm2" else voxcpm
    config = kind.VoxCPMConfig.model_validate(
        copy.deepcopy(CONFIGS[name]) | {"device": device, "dtype": dtype}
    )
    with quiet(), torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        model = build_model(config, _tokenizer(), device)
        fill(model, _random_weights(model, device), name)
        model.to(device).eval().requires_grad_(False)
        scale_vae(model.audio_vae, FRAMES_TO_SCALE)
    return model


def write(name: str, folder: Path, device: str = "cpu", dtype: str = "bfloat16") -> Path:
    """A checkpoint in the true file format, of full size; ``device`` makes the numbers."""
    model = build(name, device, dtype)
    second = name == "voxcpm2"
    config = {"architecture": "voxcpm2" if second else "voxcpm", "device": "cuda", "dtype": dtype}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIGS[name] | config, indent=2))
    write_tokenizer(folder, "VoxCPM2Tokenizer" if second else "LlamaTokenizer")
    write_weights(folder, model.cpu(), DTYPES[dtype], in_safetensors=second)
    return folder


def _tokenizer() -> Any:
    from transformers import LlamaTokenizerFast

    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(Path(folder), "LlamaTokenizer")
        return LlamaTokenizerFast.from_pretrained(folder)


def _random_weights(model: Any, device: str) -> dict[str, Tensor]:
    values = torch.randn(RANDOM_VALUES, device=device)
    rounded = {
        torch.float32: values,
        DTYPES[model.config.dtype]: values.to(DTYPES[model.config.dtype]),
    }
    starts = cycle(range(0, RANDOM_VALUES, 65_537))
    state = {}
    for name, parameter in model.named_parameters():
        in_vae = name.startswith("audio_vae.")
        source = rounded[torch.float32 if in_vae else DTYPES[model.config.dtype]]
        state[name] = _random(name, parameter, source.roll(-next(starts)))
    state["stop_head.weight"].zero_()
    return state


def _random(name: str, parameter: Tensor, values: Tensor) -> Tensor:
    """Of a size that keeps signals as large as they are; gains are one, as at the start."""
    weight = torch.empty(parameter.shape, dtype=values.dtype, device=values.device)
    if name.endswith(("norm.weight", "layernorm.weight", "alpha", "weight_g")):
        return weight.fill_(1)
    flat = weight.view(-1)
    for piece in flat.split(len(values)):
        piece.copy_(values[: len(piece)])
    inputs = max(1, weight[0].numel())
    return weight if "embed" in name else weight.mul_((3 * inputs) ** -0.5)
