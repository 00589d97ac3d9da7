"""The files of a model as tensors and words, or one sentence about what is wrong with them.

Tensors stay in their file until they are used (memory maps). Knows no architecture.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from speech.engine.errors import EngineUnavailable

AUDIO_TOKENS = 104  # the last id with a meaning of its own


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """A file that holds a JSON object."""
    path = _existing(folder, name)
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise unreadable(folder, name, error) from error
    except (ValueError, RecursionError) as error:
        raise EngineUnavailable(f"{name} of {folder.name} is damaged: it is no JSON.") from error
    if not isinstance(value, dict):
        raise EngineUnavailable(f"{name} of {folder.name} is damaged: it is no JSON object.")
    return value


def read_tensors(folder: Path, *names: str) -> dict[str, torch.Tensor]:
    """The tensors of the first of these files that is there."""
    name = next((name for name in names if (folder / name).is_file()), "")
    if not name:
        raise EngineUnavailable(f"{' or '.join(names)} of {folder.name} is missing.")
    path = folder / name
    try:
        found = load_file(path) if path.suffix == ".safetensors" else _load_pickled(path)
    except OSError as error:
        raise unreadable(folder, name, error) from error
    except (SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise EngineUnavailable(
            f"{name} of {folder.name} is damaged or was not fetched whole."
        ) from error
    if not isinstance(found, dict):
        raise EngineUnavailable(f"{name} of {folder.name} holds no weights.")
    return {key: value for key, value in found.items() if isinstance(value, torch.Tensor)}


def _load_pickled(path: Path) -> Any:
    checkpoint = torch.load(
        path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
    )
    return checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else checkpoint


def check_tokenizer(folder: Path, vocabulary_size: int) -> None:
    """The tokenizer's library answers damaged files with errors that cannot be told apart."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / name).exists():
            read_object(folder, name)
    found = read_object(folder, "tokenizer.json")
    model = found.get("model")
    tokens = model.get("vocab") if isinstance(model, dict) else None
    merges = model.get("merges") if isinstance(model, dict) else None
    if not (
        isinstance(found.get("added_tokens"), list)
        and isinstance(tokens, dict)
        and isinstance(merges, list)
        and all(_is_merge(merge, tokens) for merge in merges)
    ):
        raise EngineUnavailable(f"tokenizer.json of {folder.name} holds no tokenizer of VoxCPM.")
    if not AUDIO_TOKENS < len(tokens) <= vocabulary_size:
        raise EngineUnavailable(
            f"tokenizer.json of {folder.name} is another model's: it has {len(tokens)} tokens,"
            f" the model {vocabulary_size}."
        )


def _is_merge(merge: object, tokens: dict[str, int]) -> bool:
    pair = merge.split(" ") if isinstance(merge, str) else merge
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(token, str) and token in tokens for token in (*pair, "".join(pair)))
    )


def _existing(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise EngineUnavailable(f"There is no folder with a model named {folder.name}.")
    if not (folder / name).is_file():
        raise EngineUnavailable(f"{name} of {folder.name} is missing.")
    return folder / name


def unreadable(folder: Path, name: str, error: OSError) -> EngineUnavailable:
    """The sentence for a file that the system does not let us read."""
    return EngineUnavailable(f"{name} of {folder.name} cannot be read: {error.strerror or error}.")
