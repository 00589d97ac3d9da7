"""A model's folder into the official package's own module, without the package's detours.

The package fills all weights with random numbers before it reads them, takes what a damaged file
lacks as given, and sets up caches for its longest text. Here the module is built without memory,
each weight must be there in its shape, and stays in its file where the device is the CPU.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm.devices import choose_device
from speech.engine.voxcpm.files import check_tokenizer, read_object, read_tensors
from speech.engine.voxcpm.memory import is_out_of_memory
from speech.engine.voxcpm.official import import_voxcpm

log = logging.getLogger(__name__)

VAE = "audio_vae."
SAMPLE_RATES = f"{VAE}decoder.sr_bin_boundaries"  # a constant, kept among the weights
DTYPES = {
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float16": torch.float16,
    "fp16": torch.float16,
    "float32": torch.float32,
    "fp32": torch.float32,
}


def load_model(path: Path, device: str = "auto", dtype: str | None = None) -> nn.Module:
    """The official ``VoxCPMModel`` or ``VoxCPM2Model`` of a folder, ready to run; no dtype is the
    file's own. Its ``kv_cache``s are not set up."""
    config = _read_config(path, dtype)
    check_tokenizer(path, config.lm_config.vocab_size)
    state = read_tensors(path, "model.safetensors", "pytorch_model.bin")
    vae = read_tensors(path, "audiovae.safetensors", "audiovae.pth")
    state |= {VAE + name: value for name, value in vae.items()}
    chosen = choose_device(device)
    with quiet():
        tokenizer = _tokenizer(path)
        model = _build_checked(config, tokenizer, chosen, path.name, len(state))
    fill(model, state, path.name)
    try:
        ready: nn.Module = model.to(model.device).eval().requires_grad_(False)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        size = sum(value.nbytes for value in model.state_dict().values())
        raise EngineUnavailable(
            f"{path.name} needs {size / 1e9:.1f} GB of memory for its weights alone,"
            f" which {model.device} has not free."
        ) from error
    return ready


def _build_checked(config: Any, tokenizer: Any, device: str, name: str, tensors: int) -> Any:
    """``build_model``, of values that nobody has looked at yet: each layer has ``tensors``."""
    try:
        if not all(0 < layers <= tensors for layers in _layers(config)):
            raise ValueError("more layers than weights, or none")
        return build_model(config, tokenizer, device)
    except Exception as error:
        log.warning("The model cannot be built: %s", error)
        raise EngineUnavailable(
            f"config.json of {name} describes a model that cannot be built."
        ) from error


def _layers(config: Any) -> tuple[int, ...]:
    parts = (config.encoder_config.num_layers, config.dit_config.num_layers)
    return (config.lm_config.num_hidden_layers, config.residual_lm_num_layers, *parts)


def build_model(config: Any, tokenizer: Any, device: str) -> Any:
    """The official module without memory for its weights (``meta``), but with its tables."""
    import_voxcpm()
    from voxcpm.model import VoxCPM2Model, VoxCPMModel, voxcpm2
    from voxcpm.modules.audiovae import AudioVAE, AudioVAEV2

    second = isinstance(config, voxcpm2.VoxCPMConfig)
    vae_class, model_class = (AudioVAEV2, VoxCPM2Model) if second else (AudioVAE, VoxCPMModel)
    longest, config.max_length = config.max_length, 1  # its caches, which are of no use to us
    with torch.device("meta"):
        vae = vae_class(config.audio_vae_config)
        model = model_class(config, tokenizer, vae, device=device)
    config.max_length = longest
    model.base_lm.kv_cache = model.residual_lm.kv_cache = None
    _make_tables(model)
    return model


def _make_tables(model: Any) -> None:
    """Rotary tables are computed, not read, and then rounded with the rest by the package."""
    from voxcpm.modules.minicpm4.model import MiniCPMLongRoPE

    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, MiniCPMLongRoPE):
                setattr(module, name, MiniCPMLongRoPE(child.config).to(DTYPES[model.config.dtype]))


def _read_config(path: Path, dtype: str | None) -> Any:
    values = read_object(path, "config.json")
    architecture = str(values.get("architecture", "voxcpm")).lower()
    if architecture not in ("voxcpm", "voxcpm2"):
        raise EngineUnavailable(
            f"config.json of {path.name} names an architecture that is not VoxCPM's."
        )
    try:
        import_voxcpm()
    except ImportError as error:
        raise EngineUnavailable("The package 'voxcpm' is not installed whole here.") from error
    from pydantic import ValidationError
    from voxcpm.model import voxcpm, voxcpm2

    kind = voxcpm2 if architecture == "voxcpm2" else voxcpm
    try:
        config = kind.VoxCPMConfig.model_validate(values)
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise EngineUnavailable(
            f"config.json of {path.name} is not a VoxCPM model's: {place} is missing or wrong."
        ) from error
    config.dtype = dtype or config.dtype
    if config.dtype not in DTYPES:
        raise EngineUnavailable(f"'{config.dtype}' is no precision; bfloat16 or float32 is.")
    return config


def _tokenizer(path: Path) -> Any:
    import transformers

    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()  # it names the class that VoxCPM2 does not use
    try:
        return transformers.LlamaTokenizerFast.from_pretrained(path, local_files_only=True)
    except Exception as error:  # of its library, which has no class for what it objects to
        raise EngineUnavailable(f"The tokenizer of {path.name} is damaged.") from error
    finally:
        transformers.logging.set_verbosity(verbosity)


def fill(model: Any, state: dict[str, torch.Tensor], name: str) -> None:
    """Each weight of the module from ``state``, rounded as the package rounds it."""
    expected = model.state_dict()
    if SAMPLE_RATES in expected:
        bounds = torch.tensor(model.audio_vae.sr_bin_boundaries, dtype=torch.int32)
        state.setdefault(SAMPLE_RATES, bounds)
    missing = [key for key in expected if key not in state]
    if missing:
        raise EngineUnavailable(
            f"The weights of {name} are incomplete: {len(missing)} of {len(expected)} tensors are"
            f" missing, {missing[0]} first."
        )
    for key, value in expected.items():
        if state[key].shape != value.shape or (
            state[key].is_floating_point() != value.is_floating_point()
        ):
            raise EngineUnavailable(
                f"The weights of {name} do not fit its config.json: {key} is"
                f" {list(state[key].shape)}, not {list(value.shape)}."
            )
    dtype = DTYPES[model.config.dtype]
    rounded = {
        key: state.pop(key).to(_target(key, value, dtype)) for key, value in expected.items()
    }
    model.load_state_dict(rounded, assign=True)


def _target(key: str, value: torch.Tensor, dtype: torch.dtype) -> torch.dtype:
    if not value.is_floating_point():
        return value.dtype
    return torch.float32 if key.startswith(VAE) else dtype


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The package prints what it does, and is warned of its outdated weight norm."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield
