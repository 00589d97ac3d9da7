"""Tiny models in the true file format, built once for all processes of the tests."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Two threads of torch on a busy machine wait for each other, at a hundredth of the speed."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_v1(tiny):
    """A folder with a model of VoxCPM-0.5B's kind: 16 kHz, 80 ms a patch."""
    return tiny("voxcpm")


@pytest.fixture(scope="session")
def tiny_v1_5(tiny):
    """A folder with a model of VoxCPM1.5's kind: 44.1 kHz, 160 ms a patch."""
    return tiny("voxcpm1.5")


@pytest.fixture(scope="session")
def tiny_v2(tiny):
    """A folder with a model of VoxCPM2's kind: hears 16 kHz, speaks 48 kHz, 160 ms a patch."""
    return tiny("voxcpm2")
