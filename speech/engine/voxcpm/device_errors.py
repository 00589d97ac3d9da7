"""What a device can raise, in the words of the loop: out of memory, or lost for good."""

from __future__ import annotations

from collections.abc import Callable

import torch

from speech.engine.sequences import DeviceLost
from speech.engine.voxcpm.memory import is_out_of_memory, return_memory

# Behind any other error of the device its context is poisoned: every later call fails as well.
_OF_DEVICE = ("CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS")


def translate(work: Callable[[], None]) -> None:
    """Do ``work``. Raises MemoryError or DeviceLost for what torch says of its device."""
    try:
        work()
    except RuntimeError as error:
        said = str(error)
        if is_out_of_memory(error):
            return_memory()
            raise MemoryError(said) from error
        if isinstance(error, torch.AcceleratorError) or any(sign in said for sign in _OF_DEVICE):
            raise DeviceLost("The device was lost.") from error
        raise
