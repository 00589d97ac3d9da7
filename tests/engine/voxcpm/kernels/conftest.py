"""GPU kernels on a CPU: Triton's own interpreter runs them, block by block.

Triton comes with PyTorch for CUDA; beside other builds `.ci/run` installs it.
"""

from __future__ import annotations

import os

import pytest

pytest.importorskip("triton")
os.environ["TRITON_INTERPRET"] = "1"  # read when a kernel is defined


@pytest.fixture
def drawn():
    """Random numbers of a shape, always the same."""
    import torch

    source = torch.Generator().manual_seed(7)

    def drawn(*shape, dtype=torch.float32):
        return torch.randn(shape, generator=source).to(dtype)

    return drawn


@pytest.fixture(params=["float32", "float16"])
def dtype(request):
    """The interpreter's products know no bfloat16."""
    import torch

    return getattr(torch, request.param)


@pytest.fixture
def close(dtype):
    """Asserts that two tensors are equal but for rounding."""
    import torch

    bound = {torch.float32: 1e-5, torch.float16: 2e-3}[dtype]

    def close(got, expected):
        assert got.shape == expected.shape and got.dtype == expected.dtype
        assert (got.float() - expected.float()).abs().max() <= bound * expected.abs().max()

    return close
