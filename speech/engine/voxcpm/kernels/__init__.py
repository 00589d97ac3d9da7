"""Hand-made GPU kernels, in Triton, for what stands between the matrix products of a step.

Each does what one function of the plain code does, which stays beside it and is what the tests
compare it with. Imported only where there is CUDA: Triton comes with torch's builds for it.
"""

from __future__ import annotations

from speech.engine.voxcpm.attention import attend_tokens
from speech.engine.voxcpm.fusing import Fusion
from speech.engine.voxcpm.kernels import attention, layers, vae
from speech.engine.voxcpm.solver import guide
from speech.engine.voxcpm.transformer import add_norm, gate, rms_norm
from speech.engine.voxcpm.vae_layers import pairs, residual, snake


def fusion() -> Fusion:
    """Every function that has a kernel, with it."""
    return Fusion(
        {
            attend_tokens: attention.attend_tokens,
            rms_norm: layers.rms_norm,
            add_norm: layers.add_norm,
            gate: layers.gate,
            guide: layers.guide,
            snake: vae.snake,
            pairs: vae.pairs,
            residual: vae.residual,
        }
    )
