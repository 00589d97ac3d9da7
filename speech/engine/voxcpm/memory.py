"""Memory of a device and of the system: how to tell that it is used up, and how to give it back."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc

import torch

# What torch says on CUDA and MPS, and on a CPU.
_NO_MEMORY = ("out of memory", "can't allocate memory")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch raised this because there was no more of it; only CUDA has a class for that."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or any(sign in said for sign in _NO_MEMORY)


def return_memory() -> None:
    """Give what is free back to the device and to the system, not only to the allocators."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
    library = ctypes.util.find_library("c")
    if library and hasattr(libc := ctypes.CDLL(library), "malloc_trim"):
        libc.malloc_trim(0)
