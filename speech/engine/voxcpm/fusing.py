"""Fusing: functions of tensors, each done by hand-made kernels instead.

They would take several passes over the memory otherwise. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Function = Callable[..., Any]
Fuse = Callable[[Function], Function]
"""Gives the kernel of a function, or the function where there is none."""


class Fusion:
    """Which functions have kernels, and whether these are used now."""

    def __init__(self, kernels: Mapping[Function, Function]) -> None:
        self._kernels = kernels
        self._is_on = True

    def __call__(self, function: Function) -> Function:
        """One that does what ``function`` does, by its kernel while those are used."""
        kernel = self._kernels.get(function, function)

        def fused(*arguments: Any) -> Any:
            return (kernel if self._is_on else function)(*arguments)

        return fused

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside of the block everything runs as it was written."""
        was_on, self._is_on = self._is_on, False
        try:
            yield
        finally:
            self._is_on = was_on

    def end(self) -> None:
        """From here on everything runs as it was written."""
        self._is_on = False
