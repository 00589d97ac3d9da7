"""CUDA graphs: the passes of ``EagerPasses``, captured once for each size and then replayed.

A batch is padded with the scratch row to the next captured size. What no graph fits runs eagerly,
as does everything when capturing fails or a replay differs from the eager pass; ``notice`` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from speech.engine.voxcpm.passes import EagerPasses, Piece
from speech.engine.voxcpm.proof import Proof
from speech.engine.voxcpm.solver import evaluations

log = logging.getLogger(__name__)

BATCHES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128)
TIMESTEPS = (5, 7, 10)
"""The schedules of the models one may ask for; others take the next longer one."""

PREFILLS = tuple(
    (batch, tokens)
    for batch in (1, 2, 4, 8, 16)
    for tokens in (16, 32, 64, 128, 256)
    if batch * tokens <= 512
)
"""How many prompts, and how many tokens of each, one pass takes in: together the usual budget."""

PREFILL_BUCKET = 512
"""Prompts that reach further are consumed eagerly."""

MEMORY_RESERVE = 1 << 30
"""Bytes of the device's memory that capturing leaves free."""

Run = Callable[[], Any]


@dataclass(slots=True, eq=False)
class Captured:
    """A graph with the tensors that it reads and writes; ``run`` is what was captured, kept
    because a graph reads all that it refers to where it lay."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    outputs: Any
    run: Run

    def replay(self, *inputs: Tensor) -> Any:
        """Run it on ``inputs``, which may be shorter than the graph's along the first axis."""
        for place, given in zip(self.inputs, inputs, strict=True):
            place[: len(given)].copy_(given, non_blocking=True)
        self.graph.replay()
        return self.outputs


class GraphPasses:
    """Replays where a graph fits, else passes on to ``eager``."""

    def __init__(
        self,
        eager: EagerPasses,
        *,
        batches: Sequence[int] = (),
        timesteps: Sequence[int] = (),
        notice: str = "",
    ) -> None:
        """``batches`` and ``timesteps`` are the sizes to capture, where they are not all of the
        usual ones; ``notice`` is what is to be told already."""
        self.notice = ""
        self._eager = eager
        self._scratch = eager.model.slots
        self._batches = batches or BATCHES
        self._timesteps = timesteps or TIMESTEPS
        self._pool: Any = None
        self._begin(notice)

    @property
    def products(self) -> str:
        """As ``Passes.products``."""
        return self._eager.products

    # -- capturing

    def capture(self, progress: Callable[[int, int], None]) -> None:
        """Capture all graphs, the largest first, so that they share memory; tell ``progress`` how
        many of how many are done. Never raises for a graph: ``notice`` says what happened."""
        try:
            self._capture_all(progress)
        except Exception as error:  # noqa: BLE001 - the model speaks without graphs as well
            if not self._eager.is_fused or isinstance(error, torch.OutOfMemoryError):
                self._give_up(error)
                return
            self._eager.unfuse()
            self._begin(f"Kernels are not fused: {_first_line(error)}")
            self.capture(progress)

    def _capture_all(self, progress: Callable[[int, int], None]) -> None:
        work = list(self._work())
        for done, capture in enumerate(work):
            if self._memory_is_short():
                self._note(
                    f"The device's memory is short: {done} of {len(work)} CUDA graphs were "
                    "captured, other steps run without."
                )
                self._drop_half_captured()
                return
            capture()
            progress(done + 1, len(work))

    def _drop_half_captured(self) -> None:
        """Graphs share their memory: what ``emit`` gives may lie where an ``advance`` that was
        captured sooner computes, and is still being copied while that runs. So a size whose own
        were not all captured is left to the next larger one."""
        shortest = _lengths(self._eager.model.length)[0]
        for graphs in self._emits.values():
            for size, count in list(graphs):
                if (size, shortest) not in self._advances:
                    del graphs[size, count]

    def _begin(self, notice: str) -> None:
        """Nothing is captured yet, or no longer."""
        self._emits: dict[bool, dict[tuple[int, int], Captured]] = {True: {}, False: {}}
        self._advances: dict[tuple[int, int], Captured] = {}
        self._prefills: dict[tuple[int, int], Captured] = {}
        self._proof = Proof(self._eager, fused=self._eager.is_fused)
        if notice:
            self._note(notice)

    def _note(self, notice: str) -> None:
        self.notice = f"{self.notice} {notice}".strip()
        log.warning(notice)

    def _give_up(self, error: Exception) -> None:
        """Everything runs eagerly from now on."""
        reason = "a graph could not be captured or was not faithful."
        if isinstance(error, torch.OutOfMemoryError):
            reason = "the device's memory is too short for them."
        self._begin(f"CUDA graphs are off: {reason}")
        log.warning("%s", error)

    def _memory_is_short(self) -> bool:
        free, _ = torch.cuda.mem_get_info(self._eager.model.device)
        return free < MEMORY_RESERVE

    def _work(self) -> Iterator[Run]:
        batches = [size for size in self._batches if size < self._scratch] + [self._scratch]
        lengths = _lengths(self._eager.model.length)
        for size in reversed(batches):
            for timesteps in reversed(self._timesteps):
                yield partial(self._capture_emit, size, evaluations(timesteps), True)
            yield partial(self._capture_emit, size, evaluations(max(self._timesteps)), False)
            for length in reversed(lengths):
                yield partial(self._capture_advance, size, length)
        for batch, tokens in reversed(PREFILLS):
            if batch <= self._scratch and tokens <= self._eager.model.length:
                yield partial(self._capture_prefill, batch, tokens)

    def _record(self, run: Run, *inputs: Tensor) -> Captured:
        """Capture ``run``, which works on ``inputs``. They name the scratch row meanwhile."""
        # The thread that loads has a device and a stream of its own, and a capture that fails
        # leaves its stream the current one.
        device = self._eager.model.device
        with torch.cuda.device(device):
            usual, stream = torch.cuda.current_stream(), torch.cuda.Stream()
            stream.wait_stream(usual)
            try:
                with torch.cuda.stream(stream):
                    for _ in range(3):
                        run()
                usual.wait_stream(stream)
                self._pool = self._pool or torch.cuda.graph_pool_handle()
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, pool=self._pool, stream=stream):
                    outputs = run()
            finally:
                torch.cuda.set_stream(usual)
        return Captured(graph, inputs, outputs, run)

    def _capture_emit(self, size: int, count: int, is_guided: bool) -> None:
        model = self._eager.model
        rows = self._scratch_rows(size)
        noise = torch.zeros(
            size, model.patch_size, model.feat_dim, device=model.device, dtype=model.dtype
        )
        guided = torch.arange(size if is_guided else 0, device=model.device)
        speak = self._eager.speak
        captured = self._record(lambda: speak(rows, noise, count, guided), rows, noise)
        self._proof.emit(captured.replay, size, count, is_guided)
        self._emits[is_guided][size, count] = captured

    def _capture_advance(self, size: int, length: int) -> None:
        model, rows = self._eager.model, self._scratch_rows(size)
        captured = self._record(lambda: model.advance(rows, length), rows)
        self._proof.advance(captured.replay, size, length)
        self._advances[size, length] = captured

    def _capture_prefill(self, batch: int, tokens: int) -> None:
        model = self._eager.model
        bucket = min(PREFILL_BUCKET, model.length)
        piece = self._blank_piece(batch, tokens)
        captured = self._record(lambda: model.prefill(*piece, bucket), *piece)
        self._proof.prefill(captured.replay, self._blank_piece(batch, tokens), bucket)
        self._prefills[batch, tokens] = captured

    def _scratch_rows(self, size: int) -> Tensor:
        return torch.full((size,), self._scratch, device=self._eager.model.device)

    def _blank_piece(self, batch: int, tokens: int) -> Piece:
        """Nothing but padding."""
        model = self._eager.model
        hidden = model.state.hidden.shape[1]
        text = torch.zeros(batch, tokens, hidden, device=model.device, dtype=model.dtype)
        is_audio = torch.zeros(batch, tokens, device=model.device, dtype=torch.bool)
        positions = torch.full((batch, tokens), model.length, device=model.device)
        last = torch.zeros(batch, device=model.device, dtype=torch.long)
        return Piece(self._scratch_rows(batch), text, text.clone(), is_audio, positions, last)

    # -- replaying

    def prefill(self, piece: Piece, bucket: int) -> None:
        """As ``Passes.prefill``."""
        batch, tokens = piece.is_audio.shape
        most = max((size for size, length in self._prefills if length >= tokens), default=0)
        if not most or bucket > PREFILL_BUCKET:
            self._eager.prefill(piece, bucket)
            return
        # Short prompts can be more than any graph takes in: several replays are far sooner done
        # than one eager pass.
        for begin in range(0, batch, most):
            self._replay_prefill(Piece(*(part[begin : begin + most] for part in piece)))

    def _replay_prefill(self, piece: Piece) -> None:
        key = _smallest(self._prefills, *piece.is_audio.shape)
        assert key is not None
        blank = self._blank_piece(*key)
        for whole, part in zip(blank, piece, strict=True):
            whole[tuple(map(slice, part.shape))] = part
        self._prefills[key].replay(*blank)

    def emit(
        self, slots: list[int], noise: Tensor, count: int, guided: list[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As ``Passes.emit``; beside others, who asked for no guidance gets it at a strength of 1,
        which is the same."""
        graphs = self._emits[bool(guided)]
        key = _smallest(graphs, len(slots), count)
        if key is None:
            return self._eager.emit(slots, noise, count, guided)
        outputs = graphs[key].replay(self._padded(slots, key[0]), noise)
        audio, latents, stops = (each[: len(slots)] for each in outputs)
        return audio, latents, stops

    def advance(self, slots: list[int], bucket: int) -> None:
        """As ``Passes.advance``."""
        key = _smallest(self._advances, len(slots), bucket)
        if key is None:
            self._eager.advance(slots, bucket)
        else:
            self._advances[key].replay(self._padded(slots, key[0]))

    def _padded(self, slots: list[int], size: int) -> Tensor:
        return self._eager.rows(slots + [self._scratch] * (size - len(slots)))


def _lengths(longest: int) -> list[int]:
    """Buckets of positions, up to a slot's whole length."""
    lengths = [min(256, longest)]
    while lengths[-1] < longest:
        lengths.append(min(2 * lengths[-1], longest))
    return lengths


def _smallest(
    graphs: dict[tuple[int, int], Captured], batch: int, other: int
) -> tuple[int, int] | None:
    """The least of the sizes that fit both."""
    return min((key for key in graphs if key[0] >= batch and key[1] >= other), default=None)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
