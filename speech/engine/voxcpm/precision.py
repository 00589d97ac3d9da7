"""Which precision AudioVAE runs with: the one asked for, while its error stays below a bound.

The error is measured when a model is loaded, on a fixed latent, against float32. Knows no streams.
"""

from __future__ import annotations

import logging
from typing import Any, cast, get_args

import torch

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm.vae import Precision, StreamingVAE

log = logging.getLogger(__name__)

BOUND = 0.01
"""The largest error, as a share of the loudest sample: 40 dB below it."""

FRAMES = 32
"""Of the fixed latent: more than a second of audio, so that errors can add up in the state."""


def choose_vae(
    official: Any, slots: int, wanted: str, model_dtype: torch.dtype
) -> tuple[StreamingVAE, str]:
    """An AudioVAE, and a notice where it is not as ``wanted``, "" being the device's usual one.
    Raises EngineUnavailable for a precision that there is not."""
    wanted = wanted or usual(next(official.parameters()).device, model_dtype)
    if wanted not in get_args(Precision):
        raise EngineUnavailable(f"'{wanted}' is no precision of AudioVAE; exact, tf32 or bf16 is.")
    precision = cast(Precision, wanted)
    notice = "" if precision == "exact" else _objection(official, precision, model_dtype)
    if notice:
        log.warning(notice)
    return StreamingVAE(official, slots, "exact" if notice else precision), notice


def usual(device: torch.device, model_dtype: torch.dtype) -> Precision:
    """What AudioVAE multiplies with where nobody asks: a GPU's products of TF32 are several times
    as fast as those of float32."""
    return "tf32" if device.type == "cuda" and model_dtype != torch.float32 else "exact"


def _objection(official: Any, precision: Precision, model_dtype: torch.dtype) -> str:
    """Why not this one; "" when nothing speaks against it."""
    if precision == "tf32" and model_dtype == torch.float32:
        # It is one switch for all products of the process.
        return "AudioVAE runs in float32: TF32 would round the float32 language models as well."
    error = measure_error(official, precision)
    log.info("AudioVAE in %s: the largest error is %.1e of the loudest sample.", precision, error)
    # Written so that not-a-number is caught as well.
    if error <= BOUND:
        return ""
    return (
        f"AudioVAE runs in float32: in {precision} its largest error is {error:.1e} of the loudest "
        f"sample, and may be {BOUND:g}."
    )


def measure_error(official: Any, precision: Precision) -> float:
    """How far the fixed latent's audio is from that of float32, as a share of its loudest."""
    draw = torch.Generator().manual_seed(0)
    latent = torch.randn(1, official.latent_dim, FRAMES, generator=draw)
    exact = _decode(official, latent, "exact")
    error = (_decode(official, latent, precision) - exact).abs().max()
    return float(error / exact.abs().max())


def _decode(official: Any, latent: torch.Tensor, precision: Precision) -> torch.Tensor:
    vae = StreamingVAE(official, 1, precision)
    row = torch.zeros(1, dtype=torch.long, device=vae.device)
    pieces = latent.to(vae.device).split(FRAMES // 8, 2)
    return torch.cat([vae.decode(piece, row) for piece in pieces], 1)
