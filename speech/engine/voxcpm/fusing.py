"""Fusing: functions of tensors, made into single kernels by torch's compiler.

Each stands between matrix products and would take several passes over the memory. What is compiled
once serves for all layers that are alike, at every size. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch

Fuse = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes one kernel of a function of tensors."""

VARIANTS = 64
"""The most variants of one kernel: of each kind of layer, for one row and for many."""


def compiler() -> Fuse:
    """Compiles a function when it is first called, and each function once."""
    # Each is one kernel: processes that compile would take longer to start than to do it.
    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.recompile_limit = VARIANTS
    torch._dynamo.config.accumulated_recompile_limit = VARIANTS
    torch.compiler.set_stance("default")
    return cache(partial(torch.compile, fullgraph=True, dynamic=True))


def uncompiled() -> Any:
    """From here on, or inside of a ``with`` block, what is compiled runs as it was written."""
    return torch.compiler.set_stance("force_eager")
