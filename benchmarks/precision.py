"""What AudioVAE loses and gains by TF32 and bfloat16: largest error and time of a step.

    python -m benchmarks.precision voxcpm2 --device cuda --rows 1 16 64

The error is the one that the engine measures when it loads a model, against its bound.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, get_args

import torch

from benchmarks.checkpoints import CONFIGS
from benchmarks.figures import Verdict
from benchmarks.report import table
from benchmarks.vae import build
from speech.engine.voxcpm.precision import BOUND, measure_error
from speech.engine.voxcpm.vae import Precision, StreamingVAE

ROUNDS = 10


def measure(name: str, precision: Precision, options: argparse.Namespace) -> dict[str, Any]:
    """The error, and milliseconds of one patch of so many rows."""
    official = build(name).to(options.device)
    error = measure_error(official, precision)
    vae = StreamingVAE(official, max(options.rows), precision)
    row: dict[str, Any] = {"model": name, "precision": precision, "largest error": error}
    for count in options.rows:
        latent = torch.randn(count, vae.latent_dim, CONFIGS[name]["patch_size"], device=vae.device)
        rows = torch.arange(count, device=vae.device)
        seconds = _median(lambda z=latent, r=rows: vae.decode(z, r), vae.device)
        row[f"{count} rows, ms"] = 1e3 * seconds
    if precision != "exact":
        print(Verdict(f"{name} in {precision}, largest error", error, BOUND, "of the loudest"))
    return row


def _median(work: Callable[[], Any], device: torch.device) -> float:
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["voxcpm2"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 16, 64])
    options = parser.parse_args()
    with torch.inference_mode():
        rows = [
            measure(name, precision, options)
            for name in options.models
            for precision in get_args(Precision)
        ]
    print(table(rows))


if __name__ == "__main__":
    main()
