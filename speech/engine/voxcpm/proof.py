"""Proof: whether a captured graph does what the eager pass does, before anybody relies on it.

Runs both on the same made-up state. Nobody has a slot while the model loads, so all rows are free
to be used; they are cleared afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from speech.engine.voxcpm.passes import EagerPasses, Piece
from speech.engine.voxcpm.solver import LONGEST_SCHEDULE

TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""How far a row of a replay may be from the eager pass's, root mean squares, as a share of its own:
the kernels are the same, and the order of their sums may not be."""

TOLERANCE_FUSED = 0.2
"""Fused kernels round elsewhere, and the quantiser makes steps of that; what a wrong graph says is
off by as much as it is large."""

SMALLEST = 1e-6
"""In place of zero, to divide by."""

Replay = Callable[..., object]


class Unfaithful(Exception):
    """A replay gave something else than the eager pass."""


class Proof:
    """Compares replays with ``eager``. Each check raises Unfaithful."""

    def __init__(self, eager: EagerPasses, *, fused: bool = False) -> None:
        self._eager = eager
        self._limit = TOLERANCE_FUSED if fused else TOLERANCE[eager.model.dtype]

    def emit(
        self, replay: Callable[..., tuple[Tensor, ...]], size: int, count: int, is_guided: bool
    ) -> None:
        """``replay`` takes rows and noise and gives audio, latents and stops."""
        places = list(range(size))
        guided = places if is_guided else []
        noise = self._stage(size)
        expected = [each.clone() for each in self._eager.emit(places, noise, count, guided)]
        noise = self._stage(size)
        got = replay(self._eager.rows(places), noise)
        self._compare(f"emit of {size}", expected[:2], list(got[:2]))
        self._clear(size)

    def advance(self, replay: Replay, size: int, bucket: int) -> None:
        """``replay`` takes rows."""
        places = list(range(size))
        self._stage(size)
        self._eager.advance(places, bucket)
        expected = self._settled(size)
        self._stage(size)
        replay(self._eager.rows(places))
        self._compare(f"advance of {size}", expected, self._settled(size))
        self._clear(size)

    def prefill(self, replay: Replay, blank: Piece, bucket: int) -> None:
        """``replay`` takes a piece like ``blank``."""
        batch, tokens = blank.is_audio.shape
        blank.rows.copy_(torch.arange(batch))
        blank.positions.copy_(torch.arange(tokens).expand(batch, -1))
        blank.last.fill_(tokens - 1)
        blank.text.normal_(generator=torch.Generator(blank.text.device).manual_seed(tokens))
        self._stage(batch)
        self._eager.prefill(blank, bucket)
        expected = self._settled(batch)
        self._stage(batch)
        replay(*blank)
        self._compare(f"prefill of {batch} times {tokens}", expected, self._settled(batch))
        self._clear(batch)

    def _stage(self, size: int) -> Tensor:
        """The same state in the first ``size`` rows, every time; returns noise for it."""
        model = self._eager.model
        draw = torch.Generator(model.device).manual_seed(size)
        state = model.state
        self._clear(size)
        for row in range(size):
            model.begin(row, LONGEST_SCHEDULE // 10, 2.0, None)
        for tensor in (state.hidden, state.residual, state.patch):
            tensor[:size].normal_(generator=draw)
        state.positions[:size] = torch.arange(size, device=model.device) % 16
        return torch.empty_like(state.patch[:size]).normal_(generator=draw)

    def _settled(self, size: int) -> list[Tensor]:
        state = self._eager.model.state
        return [state.hidden[:size].clone(), state.residual[:size].clone()]

    def _clear(self, size: int) -> None:
        for row in range(size):
            self._eager.model.clear(row, self._eager.model.length)
            self._eager.vae.reset(row)

    def _compare(self, what: str, expected: list[Tensor], got: list[Tensor]) -> None:
        for one, other in zip(expected, got, strict=True):
            right, wrong = one.float().flatten(1), (other.float() - one.float()).flatten(1)
            share = wrong.square().mean(1).sqrt() / (right.square().mean(1).sqrt() + SMALLEST)
            # Written so that not-a-number is caught as well.
            if not bool((share <= self._limit).all()):
                raise Unfaithful(
                    f"The graph of {what} is not faithful: off by {float(share.max()):.1e}."
                )
