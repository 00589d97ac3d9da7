"""How fast this machine could be: its copy and matmul rates, and what a step must move and compute.

The floor of a step is the longer of the two: all weights it uses, read once for each use, at the
measured copy rate, and all its multiplications at the measured matmul rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

REPEATS = 7
COPIED_BYTES = 1 << 28


@dataclass(frozen=True)
class Rates:
    """Bytes read a second, and floating-point operations a second at a batch of rows."""

    read: float
    matmul: float

    def __str__(self) -> str:
        return f"{self.read / 1e9:.1f} GB/s, {self.matmul / 1e12:.2f} TFLOP/s"


def measure(device: torch.device, dtype: torch.dtype, rows: int) -> Rates:
    """The rates of a large copy (half of what it moves is read) and of ``rows`` times a matrix."""
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    seconds = _best(lambda: target.copy_(source), device)
    width = 4096
    weight = torch.randn(width, width, device=device, dtype=dtype)
    batch = torch.randn(max(rows, 256), width, device=device, dtype=dtype)
    matmul = _best(lambda: batch @ weight, device)
    return Rates(2 * COPIED_BYTES / seconds, 2 * batch.shape[0] * width * width / matmul)


def _best(work: Callable[[], Any], device: torch.device) -> float:
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begin)
    return min(times[1:])


@dataclass(frozen=True)
class Work:
    """What one step moves and computes."""

    bytes: float
    operations: float

    def seconds(self, rates: Rates) -> float:
        """The floor."""
        return max(self.bytes / rates.read, self.operations / rates.matmul)


def rows_of_step(model: Any, batch: int) -> int:
    """Of the products that a step spends its time with: the estimator's tokens, guided."""
    second = hasattr(model, "fusion_concat_proj")
    return 2 * batch * (2 * model.patch_size + (3 if second else 1))


def of_step(model: Any, batch: int, timesteps: int) -> Work:
    """A step of an official model for ``batch`` streams, guided; attention is left out."""
    evaluations = timesteps - 1
    estimator = model.feat_decoder.estimator
    parts: list[tuple[Iterable[nn.Parameter], int, int]] = [
        (estimator.parameters(), evaluations, rows_of_step(model, batch)),
        (model.feat_encoder.parameters(), 1, batch * (model.patch_size + 1)),
        (model.base_lm.layers.parameters(), 1, batch),
        (model.residual_lm.layers.parameters(), 1, batch),
    ]
    moved = computed = 0.0
    for parameters, times, rows in parts:
        sizes = [(each.numel(), each.element_size()) for each in parameters]
        moved += times * sum(count * size for count, size in sizes)
        computed += times * rows * sum(2 * count for count, _ in sizes)
    decoder = list(model.audio_vae.decoder.parameters())
    moved += sum(each.nbytes for each in decoder)
    return Work(moved, computed)
