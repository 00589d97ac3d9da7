"""The official package itself, as what ours is compared with: quiet, not compiled."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from speech.engine.voxcpm.official import import_voxcpm


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what the package prints, and what it warns of itself."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def load_stock(path: Path, device: str = "cpu") -> Any:
    """A ``voxcpm.VoxCPM`` as people use it; ``.tts_model`` is the module."""
    with quiet():
        return import_voxcpm().VoxCPM.from_pretrained(
            str(path), load_denoiser=False, optimize=False, device=device
        )


def generate(stock: Any, text: str, seed: int, **options: Any) -> np.ndarray:
    """One whole take, made as after ``torch.manual_seed(seed)``; random numbers elsewhere stay."""
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return stock.generate(text, **{"retry_badcase": False, **options})
