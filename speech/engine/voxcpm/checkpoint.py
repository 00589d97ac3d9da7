"""Checkpoints on disk: where they are, which model each holds, and whether its files are whole.

Reads names, sizes and headers, never a weight, so the web process may ask as well as the engine's
child. Knows nothing of torch, Django or hubs. Its messages are for operators: they name files.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from speech.engine.errors import EngineUnavailable

log = logging.getLogger(__name__)
Architecture = Literal["voxcpm", "voxcpm2"]
# The models that have a short name, the best first; each has the same name on both hubs.
KNOWN = {
    "voxcpm2": "openbmb/VoxCPM2",
    "voxcpm1.5": "openbmb/VoxCPM1.5",
    "voxcpm-0.5b": "openbmb/VoxCPM-0.5B",
}
# As the official package looks for them: the first that exists is the one that counts.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
VAE = ("audiovae.safetensors", "audiovae.pth")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
# By architecture: where config.json says how the audio sounds, and the package's own defaults.
_SAMPLE_RATE = {"voxcpm": ("sample_rate", 16_000), "voxcpm2": ("out_sample_rate", 48_000)}
_PATCH_SIZE = {"voxcpm": 2, "voxcpm2": 4}
_MAX_LENGTH = {"voxcpm": 4096, "voxcpm2": 8192}
_LARGEST = 1_000_000  # of any number that is looked at here
_LARGEST_HEADER = 100_000_000  # the safetensors format's own limit


class CheckpointError(Exception):
    """The checkpoint cannot be used; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A directory whose files are all there and whole."""

    path: Path
    architecture: Architecture
    name: str  # which of KNOWN it is, or is built like
    sample_rate: int  # of the audio it makes
    patch_size: int
    feat_dim: int
    max_length: int
    dtype: str
    weights: Path
    vae: Path

    @property
    def size(self) -> int:
        """The weights on disk, in bytes: about what they take in memory."""
        return self.weights.stat().st_size + self.vae.stat().st_size


def directory_name(model: str) -> str:
    """The name under ``models_dir`` of a known name or of a hub's ``owner/name``."""
    for name, known in KNOWN.items():
        if model.lower() in (name, known.lower()):
            return name
    return model.replace("/", "--")


def find_checkpoint(models_dir: Path, setting: str = "") -> Path | None:
    """Where the checkpoint is that ``setting`` names: a directory, a known name or a hub's id.

    An empty setting takes the first that is whole, in the order of KNOWN; where none is, the first
    that is there at all, so that describing it says what is wrong. None when there is nothing.
    Raises CheckpointError when the setting names one that is not there.
    """
    try:
        if setting:
            return _named(models_dir, setting)
        found = list(filter(_may_be_one, _candidates(models_dir)))
    except OSError as error:
        place = error.filename or models_dir
        raise CheckpointError(f"{place} cannot be read: {error.strerror}.") from None
    return next(filter(is_whole, found), found[0] if found else None)


def is_whole(path: Path) -> bool:
    """Whether ``describe_checkpoint`` has nothing to say against it."""
    try:
        describe_checkpoint(path)
    except CheckpointError:
        return False
    return True


def describe_checkpoint(path: Path) -> Checkpoint:
    """What the directory holds. Raises CheckpointError for a missing, truncated or wrong file."""
    if not os.path.isdir(path):
        raise CheckpointError(f"There is no directory {path}.")
    config = _json(path / "config.json")
    described = _from_config(path, config)
    for name in TOKENIZER:
        _json(path / name)
    if "model" not in _json(path / "tokenizer.json"):
        raise CheckpointError(f"{path / 'tokenizer.json'} is not a tokenizer.")
    _check_tensors(described.weights, _embedding(config))
    _check_tensors(described.vae, {})
    return described


def usable_checkpoint(model: str) -> Checkpoint:
    """What the engine's directory holds; what is wrong with it goes to the log with its place, and
    without it to whoever asks. Raises EngineUnavailable."""
    try:
        return describe_checkpoint(Path(model))
    except CheckpointError as error:
        log.error("The model cannot be used: %s", error)
        told = str(error).replace(f"{model}/", "").replace(model, Path(model).name)
        raise EngineUnavailable(f"The model cannot be used: {told}") from None


def _named(models_dir: Path, setting: str) -> Path:
    fetched, local = models_dir / directory_name(setting), Path(os.path.expanduser(setting))
    # What is written like a path is one; "openbmb/VoxCPM2" may be either.
    for path in [local] if setting[0] in "/.~" else [fetched, local]:
        if path.is_dir():
            return path
    raise CheckpointError(
        f"There is no checkpoint {setting!r}: neither a directory nor a fetched model; "
        f"`make model MODEL={setting}` fetches one."
    )


def _candidates(models_dir: Path) -> list[Path]:
    known = [models_dir / name for name in KNOWN]
    others = sorted(models_dir.iterdir()) if models_dir.is_dir() else []
    # A hidden directory is one that is still being fetched.
    return known + [path for path in others if path.name not in KNOWN and path.name[0] != "."]


def _may_be_one(path: Path) -> bool:
    try:
        return (path / "config.json").exists()
    except OSError:
        return True  # describing it says what is wrong


def _from_config(path: Path, config: dict[str, Any]) -> Checkpoint:
    architecture = str(config.get("architecture", "voxcpm")).lower()
    if architecture not in ("voxcpm", "voxcpm2"):
        raise CheckpointError(
            f"{path / 'config.json'} is of a model with architecture {architecture!r}, "
            "which is neither voxcpm nor voxcpm2."
        )
    if not isinstance(config.get("lm_config"), dict):
        raise CheckpointError(f"{path / 'config.json'} does not describe a VoxCPM model.")
    key, rate = _SAMPLE_RATE[architecture]
    vae = config.get("audio_vae_config") or {}
    try:
        sample_rate = int(vae.get(key, rate))
        patch_size = int(config.get("patch_size", _PATCH_SIZE[architecture]))
        feat_dim = int(config.get("feat_dim", 64))
        max_length = int(config.get("max_length", _MAX_LENGTH[architecture]))
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise CheckpointError(f"{path / 'config.json'} has a value of the wrong type.") from None
    if not all(0 < each <= _LARGEST for each in (sample_rate, patch_size, feat_dim, max_length)):
        raise CheckpointError(f"{path / 'config.json'} has a value that no model has.")
    return Checkpoint(
        path=path,
        architecture="voxcpm2" if architecture == "voxcpm2" else "voxcpm",
        name=_name(architecture, sample_rate, patch_size),
        sample_rate=sample_rate,
        patch_size=patch_size,
        feat_dim=feat_dim,
        max_length=max_length,
        dtype=str(config.get("dtype", "bfloat16")),
        weights=_one_of(path, WEIGHTS, "weights"),
        vae=_one_of(path, VAE, "audio decoder"),
    )


def _name(architecture: str, sample_rate: int, patch_size: int) -> str:
    """0.5B and 1.5 share an architecture: 1.5 has patches of 4 and speaks at 44.1 kHz."""
    if architecture == "voxcpm2":
        return "voxcpm2"
    return "voxcpm1.5" if sample_rate == 44_100 or patch_size == 4 else "voxcpm-0.5b"


def _one_of(path: Path, names: tuple[str, ...], what: str) -> Path:
    for name in names:
        if (path / name).is_file():
            return path / name
    raise CheckpointError(f"{path} has no {what}: there is neither {' nor '.join(names)}.")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing.") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path} is damaged: it is not JSON.") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is not a JSON object.")
    return content


def _embedding(config: dict[str, Any]) -> dict[str, list[int]]:
    """One tensor that the weights must hold, and its shape: tells another model's file."""
    language_model = config["lm_config"]
    shape = [language_model.get("vocab_size"), language_model.get("hidden_size")]
    return {"base_lm.embed_tokens.weight": shape}


def _check_tensors(path: Path, expected: dict[str, list[int]]) -> None:
    """That the file is as long as it says and, where its header tells, holds these tensors."""
    try:
        if path.suffix == ".safetensors":
            _check_safetensors(path, expected)
        else:
            _check_zip(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None


def _check_safetensors(path: Path, expected: dict[str, list[int]]) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size, _LARGEST_HEADER):
            raise CheckpointError(_why_unreadable(path))
        header = file.read(length)
    try:
        tensors = json.loads(header)
        tensors.pop("__metadata__", None)
        end = max(int(entry["data_offsets"][1]) for entry in tensors.values())
        shapes = {name: entry["shape"] for name, entry in tensors.items()}
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        raise CheckpointError(_why_unreadable(path)) from None
    if size < 8 + length + end:
        raise CheckpointError(
            f"{path} is truncated: it has {size:,} of {8 + length + end:,} bytes."
        )
    if size > 8 + length + end:
        raise CheckpointError(f"{path} is damaged: it is longer than its header says.")
    for name, shape in expected.items():
        if shapes.get(name) != shape:
            raise CheckpointError(
                f"{path} belongs to another model: its {name} is {shapes.get(name)}, "
                f"but config.json says {shape}."
            )


def _check_zip(path: Path) -> None:
    """A file of torch.save: a zip, whose directory is its end, so a cut one has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise CheckpointError(_why_unreadable(path)) from None
    if not any(name.endswith("/data.pkl") for name in entries):
        raise CheckpointError(f"{path} is not a file of PyTorch weights.")


def _why_unreadable(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(40)
    if start.startswith(b"version https://git-lfs"):
        return f"{path} is only a Git LFS pointer: the weights themselves were not fetched."
    return f"{path} is truncated, or is not a file of weights."
