"""GPU kernels on a CPU: Triton's own interpreter runs them, block by block.

Beside PyTorch for CPUs `.ci/run` installs Triton. Where there is CUDA, ``tests/gpu`` runs them
truly: the interpreter would take their place in the whole process.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
import torch

HAS_TRITON = find_spec("triton") is not None
if HAS_TRITON and not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton itself is imported


@pytest.fixture(autouse=True)
def interpreted():
    """Skips where the kernels cannot be interpreted."""
    if not HAS_TRITON:
        pytest.skip("needs Triton")
    if torch.cuda.is_available():
        pytest.skip("tests/gpu has them")


@pytest.fixture
def drawn():
    """Random numbers of a shape, always the same."""
    source = torch.Generator().manual_seed(7)

    def drawn(*shape, dtype=torch.float32):
        return torch.randn(shape, generator=source).to(dtype)

    return drawn


@pytest.fixture(params=["float32", "float16"])
def dtype(request):
    """The interpreter's products know no bfloat16."""
    return getattr(torch, request.param)


@pytest.fixture
def close(dtype):
    """Asserts that two tensors are equal but for rounding."""
    bound = {torch.float32: 1e-5, torch.float16: 2e-3}[dtype]

    def close(got, expected):
        assert got.shape == expected.shape and got.dtype == expected.dtype
        assert (got.float() - expected.float()).abs().max() <= bound * expected.abs().max()

    return close
