"""Hand-made GPU kernels, in Triton, for what stands between the matrix products of a step, and for
products of few rows.

Each does what one function of the plain code does, which stays beside it and is what the tests
compare it with. Imported only where there is CUDA: Triton comes with torch's builds for it.
"""

from __future__ import annotations

from speech.engine.voxcpm.attention import attend_tokens
from speech.engine.voxcpm.fusing import Fusion
from speech.engine.voxcpm.kernels import attention, layers, vae
from speech.engine.voxcpm.kernels.products import Products as Products
from speech.engine.voxcpm.solver import step
from speech.engine.voxcpm.transformer import enter, enter_gated, finish, leave
from speech.engine.voxcpm.vae_layers import pairs, residual, snake


def fusion(products: Products) -> Fusion:
    """Every function that has a kernel, with it."""
    return Fusion(
        {
            attend_tokens: attention.attend_tokens,
            enter: products.enter,
            enter_gated: products.enter_gated,
            leave: products.leave,
            finish: products.finish,
            step: layers.step,
            snake: vae.snake,
            pairs: vae.pairs,
            residual: vae.residual,
        }
    )
