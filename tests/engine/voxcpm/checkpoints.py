"""Tiny models with random weights in the true file format, built in about a second.

Hops, sample rates and patches are the true ones, so that durations are right; the weights are
scaled so that the audio can be heard and stops now and then. Nothing it says means anything.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from speech.engine.voxcpm.official import import_voxcpm
from tests.engine.voxcpm.tiny_tokenizer import VOCABULARY, write_tokenizer

HEAD_DIM = 16  # one for all parts, because they share the factors of LongRoPE
FEATURES = 64
STOPS = 0.03  # of the steps end the audio
LM = {
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "max_position_embeddings": 2048,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "rope_scaling": {
        "type": "longrope",
        "long_factor": [1.0 + 0.4 * index for index in range(HEAD_DIM // 2)],
        "short_factor": [1.0 + 0.1 * index for index in range(HEAD_DIM // 2)],
        "original_max_position_embeddings": 2048,
    },
    "vocab_size": VOCABULARY,
    "use_mup": False,
    "scale_emb": 12,
    "dim_model_base": 256,
    "scale_depth": 1.4,
}
PART = {"hidden_dim": 64, "ffn_dim": 128, "num_heads": 4, "num_layers": 2}
SOLVER = {"sigma_min": 1e-6, "solver": "euler", "t_scheduler": "log-norm"}
VOXCPM = {
    "architecture": "voxcpm",
    "lm_config": LM,
    "patch_size": 2,
    "feat_dim": FEATURES,
    "residual_lm_num_layers": 2,
    "scalar_quantization_latent_dim": 16,  # few, for few values near a tie
    "scalar_quantization_scale": 9,
    "encoder_config": PART,
    "dit_config": {**PART, "cfm_config": SOLVER},
    "audio_vae_config": {
        "encoder_dim": 8,
        "encoder_rates": [2, 5, 8, 8],
        "latent_dim": FEATURES,
        "decoder_dim": 96,
        "decoder_rates": [8, 8, 5, 2],
        "sample_rate": 16000,
    },
    "max_length": 1024,
    "device": "cuda",
    "dtype": "float32",
}
CONFIGS: dict[str, dict[str, Any]] = {
    "voxcpm": VOXCPM,
    "voxcpm1.5": {
        **VOXCPM,
        "patch_size": 4,
        "audio_vae_config": {
            "encoder_dim": 4,
            "encoder_rates": [2, 3, 6, 7, 7],
            "latent_dim": FEATURES,
            "decoder_dim": 128,
            "decoder_rates": [7, 7, 6, 3, 2],
            "sample_rate": 44100,
        },
    },
    "voxcpm2": {
        **VOXCPM,
        "architecture": "voxcpm2",
        "lm_config": {
            **LM,
            "hidden_size": 96,
            "num_key_value_heads": 1,
            "kv_channels": HEAD_DIM,
            "max_position_embeddings": 4096,  # beyond the original: long factors, and scaled
        },
        "patch_size": 4,
        "residual_lm_no_rope": True,
        "encoder_config": {**PART, "kv_channels": HEAD_DIM},
        "dit_config": {**PART, "kv_channels": HEAD_DIM, "cfm_config": SOLVER},
        "audio_vae_config": {
            "encoder_dim": 8,
            "encoder_rates": [2, 5, 8, 8],
            "latent_dim": FEATURES,
            "decoder_dim": 256,
            "decoder_rates": [8, 6, 5, 2, 2, 2],
            "sample_rate": 16000,
            "out_sample_rate": 48000,
            "sr_bin_boundaries": [20000, 30000, 40000],
        },
    },
}


def build_tiny(
    folder: Path,
    architecture: str,
    seed: int = 0,
    dtype: str = "float32",
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a model into ``folder``; ``changes`` are of ``config.json``, by dotted name."""
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads(json.dumps({**CONFIGS[architecture], "dtype": "float32"}))
    for name, value in (changes or {}).items():
        *path, last = name.split(".")
        part = config
        for step in path:
            part = part[step]
        part[last] = value
    is_second = config["architecture"] == "voxcpm2"
    write_tokenizer(folder, "VoxCPM2Tokenizer" if is_second else "LlamaTokenizer")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = _model(folder, config)
        scale_vae(model.audio_vae)
        _make_stops_rare(model)
    config["dtype"] = dtype
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    write_weights(folder, model, getattr(torch, dtype), in_safetensors=is_second)
    return folder


def _model(folder: Path, config: dict[str, Any]) -> Any:
    """The official model with random weights."""
    import_voxcpm()
    from transformers import LlamaTokenizerFast
    from voxcpm.model import VoxCPM2Model, VoxCPMModel
    from voxcpm.model import voxcpm as first
    from voxcpm.model import voxcpm2 as second
    from voxcpm.modules.audiovae import AudioVAE, AudioVAEV2

    if config["architecture"] == "voxcpm2":
        model_class, vae_class, config_class = VoxCPM2Model, AudioVAEV2, second.VoxCPMConfig
    else:
        model_class, vae_class, config_class = VoxCPMModel, AudioVAE, first.VoxCPMConfig
    parsed = config_class.model_validate(config)
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of weight_norm
        vae = vae_class(parsed.audio_vae_config)
        tokenizer = LlamaTokenizerFast.from_pretrained(folder)
        return model_class(parsed, tokenizer, vae, device="cpu").eval()


def scale_vae(vae: Any, frames: int = 16) -> None:
    """Give each convolution an output of about 1, and the last a clear voice below full scale."""
    for name, parameter in vae.named_parameters():
        if name.endswith("alpha"):
            parameter.uniform_(0.5, 1.5)
        elif name.endswith("embed.weight"):
            parameter.normal_(mean=float("scale" in name), std=0.2)
    convolutions = [
        module for module in vae.modules() if isinstance(module, nn.Conv1d | nn.ConvTranspose1d)
    ]
    _scale_outputs(vae, convolutions, frames)
    inside = _calm(vae)
    _scale_outputs(vae, [module for module in convolutions if module not in inside], frames)
    last = [module for module in vae.decoder.modules() if isinstance(module, nn.Conv1d)][-1]
    last.weight_g *= 0.05
    last.bias.zero_()


def _scale_outputs(vae: Any, convolutions: list[nn.Module], frames: int) -> None:
    device = next(vae.parameters()).device
    hooks = [module.register_forward_hook(_scale_to_one) for module in convolutions]
    vae.encoder(0.1 * torch.randn(2, 1, frames // 2 * vae.chunk_size, device=device))
    vae.decode(torch.randn(2, vae.latent_dim, frames, device=device))
    for hook in hooks:
        hook.remove()


def _calm(vae: Any) -> set[nn.Module]:
    """Let residual units add little, as trained ones do: else rounding errors grow in them.
    Returns all that is inside of them."""
    units = [each for each in vae.modules() if type(each).__name__ == "CausalResidualUnit"]
    for unit in units:
        unit.block[-1].weight_g *= 0.1
        unit.block[-1].bias *= 0.1
    return {module for unit in units for module in unit.modules()}


def _scale_to_one(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
    size = output.std()
    module.weight_g /= size
    if module.bias is not None:
        module.bias /= size
    return output / size


def _make_stops_rare(model: Any) -> None:
    """Let one unit of the stop head be a constant, of a size that lets few of the steps stop."""
    model.stop_proj.weight[0] = 0
    model.stop_proj.bias[0] = 4
    model.stop_head.weight[:, 0] = 0
    seen: list[torch.Tensor] = []
    hook = model.stop_head.register_forward_hook(lambda module, inputs, out: seen.append(out[0]))
    with contextlib.redirect_stderr(io.StringIO()):
        for text in ("hello world", "你好", "The rain is over, and you are on it."):
            model.generate(text, min_len=40, max_len=40, inference_timesteps=2)
    hook.remove()
    logits = torch.stack(seen)
    margin = torch.quantile(logits[:, 1] - logits[:, 0], 1 - STOPS)
    model.stop_head.weight[1, 0] = -margin / nn.functional.silu(torch.tensor(4.0))


def write_weights(folder: Path, model: Any, dtype: torch.dtype, in_safetensors: bool) -> None:
    """The files of the weights, as each architecture is published."""
    state = {
        name: value.detach().to(dtype).contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith("audio_vae.")
    }
    if in_safetensors:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        torch.save({"state_dict": state}, folder / "pytorch_model.bin")
    torch.save({"state_dict": model.audio_vae.state_dict()}, folder / "audiovae.pth")
