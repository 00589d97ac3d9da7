"""Tests that need CUDA; elsewhere they are skipped, whatever else must be there."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def cuda():
    """The device, computing in float32 where float32 was asked for: torch does not by itself."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return "cuda"
