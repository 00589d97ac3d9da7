"""Every kernel compiles for the GPUs that people have, and fits into their shared memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
KERNELS = {
    "_attend_locally", "_attend_newest", "_remember", "_norm", "_gate", "_step", "_hear_all",
    "_convolve", "_snake_all", "_pair_all", "_multiply",
}  # fmt: skip
SHARED = {86: 99 << 10, 90: 227 << 10}
"""Bytes that one block may have, by generation: RTX 30 and 40, H100."""


@pytest.mark.parametrize("generation", SHARED)
def test_every_kernel_compiles_for(generation):
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.voxcpm.kernels.compiling", str(generation)],
        env={name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    compiled = [line.split() for line in done.stdout.splitlines()]
    assert {name for name, _ in compiled} == KERNELS
    assert max(int(shared) for _, shared in compiled) <= SHARED[generation]
