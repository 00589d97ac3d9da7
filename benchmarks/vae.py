"""How long AudioVAE takes for one patch of each stream: the official module and ours, on the CPU.

    python -m benchmarks.vae [voxcpm-0.5b voxcpm1.5 voxcpm2] [--threads 1]

Seconds are of the processor, not of the clock, so that other programs count less.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch

from benchmarks.checkpoints import CONFIGS, FRAMES_TO_SCALE
from speech.engine.voxcpm.official import import_voxcpm
from speech.engine.voxcpm.vae import Precision, StreamingVAE
from speech.engine.voxcpm.weights import quiet
from tests.engine.voxcpm.checkpoints import scale_vae

ROUNDS = 7
ROWS = (1, 4, 8)
STOCK_PATCHES = 3  # that the official stream of the first models decodes for each new one
PROMPT_SECONDS = 3


def build(name: str) -> Any:
    """The official AudioVAE of a model, with random weights."""
    import_voxcpm()
    from voxcpm.modules.audiovae import AudioVAE, AudioVAEConfig, AudioVAEConfigV2, AudioVAEV2

    kind, config = (
        (AudioVAEV2, AudioVAEConfigV2) if name == "voxcpm2" else (AudioVAE, AudioVAEConfig)
    )
    with quiet(), torch.no_grad():
        torch.manual_seed(0)
        vae = kind(config(**CONFIGS[name]["audio_vae_config"])).eval()
        scale_vae(vae, FRAMES_TO_SCALE)
    return vae


def interleaved(*calls: Callable[[], object]) -> Iterable[float]:
    """Milliseconds of each, the median of rounds in which all take their turn."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for times, call in zip(taken, calls, strict=True):
            start = time.process_time()
            call()
            times.append(1000 * (time.process_time() - start))
    return [statistics.median(times) for times in taken]


def measure(name: str) -> None:
    vae, patch = build(name), CONFIGS[name]["patch_size"]
    precisions: tuple[Precision, ...] = ("exact", "bf16")
    ours = [StreamingVAE(vae, max(ROWS), precision) for precision in precisions]
    for rows in ROWS:
        print(f"{name:12} decode {rows} rows: {decoding(vae, ours, rows, patch)}", flush=True)
    print(f"{name:12} encode {PROMPT_SECONDS} s:   {encoding(vae, ours)}", flush=True)


def decoding(vae: Any, ours: list[StreamingVAE], rows: int, patch: int) -> str:
    """One patch of each row; the official stream decodes what it does for each in turn."""
    z, where = torch.randn(rows, vae.latent_dim, patch), torch.arange(rows)
    is_stateful = hasattr(vae, "streaming_decode")
    context = torch.randn(1, vae.latent_dim, patch if is_stateful else STOCK_PATCHES * patch)
    stock, *others = interleaved(
        lambda: vae.decode(context), *(lambda o=one: o.decode(z, where) for one in ours)
    )
    return in_words(stock * rows, *others)


def encoding(vae: Any, ours: list[StreamingVAE]) -> str:
    samples = 0.1 * torch.randn(PROMPT_SECONDS * vae.sample_rate)
    return in_words(
        *interleaved(
            lambda: vae.encode(samples[None], vae.sample_rate),
            *(lambda o=one: o.encode(samples) for one in ours),
        )
    )


def in_words(stock: float, exact: float, half: float) -> str:
    return (
        f"official {stock:6.0f} ms, exact {exact:6.0f} ms ({stock / exact:.1f}x),"
        f" bf16 {half:6.0f} ms ({stock / half:.1f}x)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(CONFIGS))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with torch.inference_mode():
        for name in options.models:
            measure(name)


if __name__ == "__main__":
    main()
