"""What every slot carries from step to step, beside its caches: a row in each resident tensor.

The last row is scratch: padding reads and writes it, and nobody else does.
"""

from __future__ import annotations

import torch
from torch import Tensor

from speech.engine.voxcpm.solver import LONGEST_SCHEDULE


class SlotState:
    """Tensors of ``slots + 1`` rows, at addresses that never change."""

    def __init__(
        self,
        slots: int,
        hidden: int,
        patch: tuple[int, int],
        estimator_hidden: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """``patch`` is (patch_size, feat_dim)."""
        rows = slots + 1

        def zeros(*shape: int, dtype: torch.dtype = dtype) -> Tensor:
            return torch.zeros(rows, *shape, device=device, dtype=dtype)

        self.positions = zeros(dtype=torch.long)
        """Where the next token goes."""
        self.hidden = zeros(hidden)
        """The base model's last output, quantised after audio."""
        self.residual = zeros(hidden)
        """The residual model's last output."""
        self.patch = zeros(*patch)
        """The patch before the one to be made."""
        self.stop = zeros(dtype=torch.bool)
        """Whether the patch to be made is the last one."""
        self.time_tokens = zeros(LONGEST_SCHEDULE, estimator_hidden)
        """The time of each evaluation of the slot's schedule, embedded."""
        self.step_sizes = zeros(LONGEST_SCHEDULE, dtype=torch.float32)
        self.guidance = zeros(dtype=torch.float32)
        """The classifier-free guidance value."""

    def clear(self, row: int) -> None:
        """Forget what the last sequence left."""
        for tensor in vars(self).values():
            tensor[row] = 0
