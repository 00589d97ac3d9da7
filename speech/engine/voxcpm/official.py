"""The official ``voxcpm`` package, imported so that it works beside any build of torch.

The package imports torchaudio, whose compiled part is built for one torch and one CUDA and fails
to load beside others; its Python part is all that is needed. Where that happens, it goes on as in
torchaudio's own builds without a compiled part, and reads and writes files through soundfile.
Knows nothing of models.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import warnings
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

import soundfile
import torch


@functools.cache
def import_voxcpm() -> ModuleType:
    """``voxcpm``, with a torchaudio that loads. The import takes one to two seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, of what they import and how they compile
        use_torchaudio()
        return importlib.import_module("voxcpm")


def use_torchaudio() -> ModuleType:
    """The real torchaudio where it loads, otherwise its Python part, otherwise only its files."""
    try:
        module = importlib.import_module("torchaudio")
        if find_spec("torchcodec") is not None:
            return module  # it reads and writes files as well
    except ModuleNotFoundError as missing:
        if missing.name != "torchaudio":
            raise
        module = sys.modules["torchaudio"] = module_from_spec(ModuleSpec("torchaudio", None))
    except (OSError, ImportError):
        module = _without_compiled_part()
    module.load, module.save = load, save  # type: ignore[attr-defined]
    return module


def _without_compiled_part() -> ModuleType:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
        del sys.modules[name]
    extension = ModuleType("torchaudio._extension")
    vars(extension).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, fail_if_no_align=_no_align
    )
    sys.modules["torchaudio._extension"] = extension
    return importlib.import_module("torchaudio")


def _no_align(function: Any) -> Any:
    @functools.wraps(function)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("torchaudio has no compiled part here, so it cannot align.")

    return refuse


def load(
    uri: Any,
    frame_offset: int = 0,
    num_frames: int = -1,
    channels_first: bool = True,
    **ignored: Any,
) -> tuple[torch.Tensor, int]:
    """As ``torchaudio.load``: float32 samples by channel, and their rate."""
    source = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    samples, rate = soundfile.read(
        source, frames=num_frames, start=frame_offset, dtype="float32", always_2d=True
    )
    tensor = torch.from_numpy(samples)
    return (tensor.T.contiguous() if channels_first else tensor), rate


def save(
    uri: Any, src: torch.Tensor, sample_rate: int, channels_first: bool = True, **ignored: Any
) -> None:
    """As ``torchaudio.save``, of float samples between -1 and 1."""
    frames = src.T if channels_first and src.ndim == 2 else src
    target = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    soundfile.write(target, frames.detach().cpu().numpy(), sample_rate)
