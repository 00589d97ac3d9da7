"""Flow matching: from noise to a patch in a few Euler steps, each row on its own schedule.

Follows ``voxcpm.modules.locdit.UnifiedCFM`` (Euler, sway sampling, CFG-Zero*: Fan et al. 2025,
arXiv 2503.18886), whose first steps change nothing and are left out here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ZERO_SHARE = 0.04
"""The share of a schedule's points whose steps CFG-Zero* leaves at zero; at least one."""

LONGEST_SCHEDULE = 100
"""Time steps a request may ask for."""


def evaluations(timesteps: int) -> int:
    """How often the estimator runs for so many ``inference_timesteps``."""
    return timesteps - max(1, int((timesteps + 1) * ZERO_SHARE))


def schedule(
    timesteps: int, dtype: torch.dtype, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """Times and step sizes of the evaluations: two float32 vectors of ``evaluations(timesteps)``.

    Computed in the model's ``dtype`` and on its device, as the official package does, so that both
    take the same steps.
    """
    span = torch.linspace(1, 0, timesteps + 1, device=device, dtype=dtype)
    span = span + (torch.cos(torch.pi / 2 * span) - 1 + span)
    time, size = span[0], span[0] - span[1]
    times, sizes = [], []
    for step in range(1, timesteps + 1):
        times.append(time)
        sizes.append(size)
        time = time - size
        if step < timesteps:
            size = time - span[step + 1]
    skipped = timesteps - evaluations(timesteps)
    return torch.stack(times)[skipped:].float(), torch.stack(sizes)[skipped:].float()


def guide(guided: Tensor, free: Tensor, strength: Tensor) -> Tensor:
    """Classifier-free guidance with CFG-Zero*'s scale for the free half; all [B, P, C] float32.

    ``strength`` is [B, 1, 1].
    """
    dot = (guided * free).sum(dim=(1, 2), keepdim=True)
    norm = free.square().sum(dim=(1, 2), keepdim=True) + 1e-8
    free = free * (dot / norm)
    return free + strength * (guided - free)


def step(
    state: Tensor, velocity: Tensor, size: Tensor, guided: Tensor, strength: Tensor
) -> tuple[Tensor, Tensor]:
    """An Euler step from ``state`` [B, P, C] (float32), and the same in the model's precision.

    ``velocity`` [B + G, P, C] is the estimator's: its last rows are the free half of those at the
    places ``guided`` [G], who follow it with ``strength`` [G, 1, 1]. ``size`` is [B].
    """
    wide = velocity.float()
    towards, free = wide[: len(state)], wide[len(state) :]
    towards = towards.index_copy(0, guided, guide(towards[guided], free, strength))
    state = state - size[:, None, None] * towards
    return state, state.to(velocity.dtype)


def solve(
    noise: Tensor,
    field: Callable[[int, Tensor], Tensor],
    sizes: Tensor,
    guidance: tuple[Tensor, Tensor],
    count: int,
    step: Callable[..., tuple[Tensor, Tensor]] = step,
) -> Tensor:
    """Take ``count`` Euler steps from ``noise`` [B, P, C] along ``field``, each by ``step``.

    ``sizes`` is [B, at least count]; a row with fewer evaluations has sizes of zero at its end.
    ``guidance`` is who is guided, and how much, as ``step`` takes it.
    """
    state, patch = noise.float(), noise
    for index in range(count):
        state, patch = step(state, field(index, patch), sizes[:, index], *guidance)
    return patch
