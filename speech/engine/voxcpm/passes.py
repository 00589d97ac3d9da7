"""The three passes over the network, as the runner asks for them: prefill, emit, advance.

These run them eagerly, on any device; ``graphs.py`` replays them where there is CUDA. Both are
given places in the batch and resident rows, and neither looks at a value on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from speech.engine.voxcpm.fusing import Fusion
from speech.engine.voxcpm.model import BatchedModel
from speech.engine.voxcpm.vae import StreamingVAE


class Piece(NamedTuple):
    """Parts of the prompts of ``rows`` [B]; see ``BatchedModel.prefill`` for the rest."""

    rows: Tensor
    text: Tensor
    audio: Tensor
    is_audio: Tensor
    positions: Tensor
    last: Tensor


class Passes(Protocol):
    """How the runner drives the network. ``slots`` are row numbers; results lie on the device."""

    notice: str
    """What does not run as it was meant to."""
    products: str
    """Which products hand-made kernels do, in a line for who measures; "" for none."""

    def prefill(self, piece: Piece, bucket: int) -> None:
        """Let the slots consume a piece of their prompts."""

    def emit(
        self, slots: list[int], noise: Tensor, count: int, guided: list[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A patch for each slot, from ``noise`` [B, P, C]: audio [B, N], latents [B, P, C] and,
        [B], whether the stop head would end here. ``guided`` are places in the batch."""

    def advance(self, slots: list[int], bucket: int) -> None:
        """Move the slots on to their next patch."""


class EagerPasses:
    """Operation by operation."""

    notice = ""
    products = ""

    def __init__(self, model: BatchedModel, vae: StreamingVAE) -> None:
        self.model = model
        self.vae = vae
        self._fusion: Fusion | None = None
        self._eagerly: Callable[[], AbstractContextManager[object]] = nullcontext
        # The same slots run for many steps; to bring their numbers to the device waits for it.
        self._on_device = lru_cache(maxsize=512)(self._to_device)

    def prefill(self, piece: Piece, bucket: int) -> None:
        with self._eagerly():
            self.model.prefill(*piece, bucket)

    def emit(
        self, slots: list[int], noise: Tensor, count: int, guided: list[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        with self._eagerly():
            return self.speak(self.rows(slots), noise, count, self.rows(guided))

    def advance(self, slots: list[int], bucket: int) -> None:
        with self._eagerly():
            self.model.advance(self.rows(slots), bucket)

    def speak(
        self, rows: Tensor, noise: Tensor, count: int, guided: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """``emit`` with everything on the device: what a graph can hold."""
        stops = self.model.state.stop.index_select(0, rows)
        latents = self.model.emit(rows, noise, count, guided)
        audio = self.vae.decode(latents.float().transpose(1, 2), rows)
        self.model.keep(rows, latents)
        return audio, latents, stops

    def fuse(self, fusion: Fusion, products: str = "") -> None:
        """Let kernels do what they can, wherever the model is driven without this class; its own
        passes stay as they are, to be compared with. ``products`` is what is told of them."""
        self.model.fuse(fusion)
        self.vae.fuse(fusion)
        self._fusion, self._eagerly, self.products = fusion, fusion.paused, products

    @property
    def is_fused(self) -> bool:
        """Whether kernels do what they can, outside of these passes."""
        return self._fusion is not None

    def unfuse(self) -> None:
        """Back to operation by operation, everywhere."""
        if self._fusion is not None:
            self._fusion.end()
        self._fusion, self._eagerly, self.products = None, nullcontext, ""

    def rows(self, numbers: list[int]) -> Tensor:
        """Numbers of slots, or of places in the batch, on the device; not to be written to."""
        return self._on_device(tuple(numbers))

    def _to_device(self, numbers: tuple[int, ...]) -> Tensor:
        return torch.tensor(numbers, device=self.model.device, dtype=torch.long)
