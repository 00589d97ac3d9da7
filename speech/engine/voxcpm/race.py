"""A race, when a model is loaded: for which products of few rows hand-made kernels are faster.

Nobody can tell beforehand whether they beat the library on a given card. Timed is what a step
does: the products of several layers in turn, with all that stands between them but attention, so
that no weight is still in a cache when it is read again. Runs only where there are CUDA graphs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from speech.engine.voxcpm.transformer import Layer, Norm, Transformer

log = logging.getLogger(__name__)

ROWS = (1, 16, 32)
"""The race is run for so many rows; fewer take the next, more never take part."""
LAYERS = 12
"""At most so many are timed: their weights are many times what any card's cache holds."""
DTYPE = torch.bfloat16
"""Float32 is not exact on tensor cores, and float16 too narrow for a row before its norm."""
LEAD = 0.02
"""The share of the time that must be won."""
WARM_UP, REPEATS = 5, 20
TOLERANCE = 0.02
"""How far a product may be from the plain one, root mean squares, as a share of its own."""

Role = Literal["enter", "leave", "enter_gated"]


Clock = Callable[[Callable[[], object]], float]
"""How many seconds something takes that is done again and again."""


class Size(NamedTuple):
    """A product, as far as its speed goes."""

    role: Role
    rows: int
    outputs: int
    inputs: int


class Tile(NamedTuple):
    """What a program of a hand-made product does: its columns, the depth of a warp's slice, and
    how many parts of the weights are on their way meanwhile."""

    columns: int
    depth: int
    stages: int


TILES: dict[Role, tuple[Tile, ...]] = {
    "enter": (Tile(16, 64, 4), Tile(32, 64, 3)),
    "leave": (Tile(8, 64, 4), Tile(16, 64, 4)),
    "enter_gated": (Tile(32, 64, 3), Tile(16, 64, 3)),
}
"""So many columns make about as many programs as a large card has processors, and fit into the
shared memory of a small one."""

Choice = Mapping[Size, Tile]
"""Where hand-made products are used."""


def size_of(role: Role, rows: int, linear: nn.Linear) -> Size:
    """Of a product of ``rows`` with ``linear``."""
    counted = next((most for most in ROWS if rows <= most), 0)
    return Size(role, counted, linear.out_features, linear.in_features)


class Products(Protocol):
    """What does the products: see ``kernels.products``, and ``transformer`` for the methods."""

    choice: Choice

    def enter(
        self, hidden: Tensor, change: Tensor | None, norm: Norm, linear: nn.Linear
    ) -> tuple[Tensor, Tensor]: ...

    def enter_gated(
        self, hidden: Tensor, change: Tensor | None, norm: Norm, linear: nn.Linear
    ) -> tuple[Tensor, Tensor]: ...

    def leave(
        self, x: Tensor, linear: nn.Linear, hidden: Tensor, scale: float | None
    ) -> tuple[Tensor, Tensor | None]: ...


def choose(
    options: Mapping[Size, Sequence[Tile]], seconds: Callable[[Choice], float]
) -> tuple[Choice, float]:
    """The fastest of what ``seconds`` tells, and its share of the time without hand-made products:
    begins with all of them, and tries for one after the other what else there is."""
    seconds({})  # a card that was idle is slow at first
    plain = seconds({})
    best: Choice = {size: tiles[0] for size, tiles in options.items() if tiles}
    least = seconds(best)
    for size, tiles in options.items():
        for tile in (*tiles[1:], None)[: len(tiles)]:
            trial = {**best, size: tile} if tile else _without(best, size)
            taken = seconds(trial)
            if taken < least:
                best, least = trial, taken
    plain = min(plain, seconds({}))
    return (best, least / plain) if least <= plain * (1 - LEAD) else ({}, 1.0)


def _without(choice: Choice, size: Size) -> Choice:
    return {other: tile for other, tile in choice.items() if other != size}


def run(transformers: Iterable[Transformer], products: Products, clock: Clock | None = None) -> str:
    """Let ``products`` use what is fastest for these; tells in a line what that is. Never raises:
    the library has all products."""
    begin, found, told = time.perf_counter(), dict[Size, Tile](), []
    try:
        for layers in _of_different_sizes(transformers):
            for rows in ROWS:
                course = Course(layers, rows, products, clock or seconds_of_replay)
                choice, share = choose(course.options(), course.seconds)
                found |= choice
                told.append(f"{rows} x {course.width}: {_in_words(choice, share)}")
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("The race of products was broken off: %s", error)
    products.choice = found
    line = f"Hand-made products, by rows and width: {'; '.join(told) or 'none'}."
    log.info("%s The race took %.1f s.", line, time.perf_counter() - begin)
    return line


def _in_words(choice: Choice, share: float) -> str:
    if not choice:
        return "none"
    names = (f"{size.role} {size.outputs}" for size in choice)
    return f"{', '.join(names)} ({share:.2f} of the time without)"


def _of_different_sizes(transformers: Iterable[Transformer]) -> list[list[Layer]]:
    """Layers of those transformers whose products are not those of another one."""
    found: dict[tuple[Any, ...], list[Layer]] = {}
    for transformer in transformers:
        layers = [layer for layer in transformer.layers if isinstance(layer, Layer)]
        sizes = tuple(size_of(role, 1, linear) for role, linear in _products(layers[0]))
        is_raced = layers[0].qkv.weight.dtype == DTYPE
        if is_raced and len(layers) > len(found.get(sizes, ())):
            found[sizes] = layers[:LAYERS]
    return list(found.values())


def _products(layer: Layer) -> tuple[tuple[Role, nn.Linear], ...]:
    return (
        ("enter", layer.qkv),
        ("leave", layer.out),
        ("enter_gated", layer.gate_up),
        ("leave", layer.down),
    )


class Course:
    """What is timed: so many rows, through all products of ``layers``."""

    def __init__(
        self,
        layers: Sequence[Layer],
        rows: int,
        products: Products,
        clock: Clock,
    ) -> None:
        self._layers, self._products, self._clock = layers, products, clock
        first = layers[0]
        self.sizes = {size_of(role, rows, linear): linear for role, linear in _products(first)}
        self.width = first.qkv.in_features
        like = first.qkv.weight
        source = torch.Generator(like.device).manual_seed(rows)
        draw = partial(torch.randn, generator=source, device=like.device, dtype=like.dtype)
        self._drawn = {size: draw(rows, size.inputs) for size in self.sizes}
        self._hidden = draw(rows, self.width)
        self._seen = draw(rows, first.out.in_features)

    def options(self) -> dict[Size, list[Tile]]:
        """The hand-made products that do here what they are meant to; they are compiled by this."""
        return {
            size: [tile for tile in TILES[size.role] if self._is_right(size, tile)]
            for size in self.sizes
        }

    def seconds(self, choice: Choice) -> float:
        """How long it takes with these."""
        self._products.choice = choice
        return self._clock(self._go)

    def _go(self) -> None:
        products, hidden, change = self._products, self._hidden, None
        for layer in self._layers:
            epsilon, scale = layer.epsilon, layer.residual_scale
            norm = Norm(layer.before_attention, epsilon, scale)
            hidden, _ = products.enter(hidden, change, norm, layer.qkv)
            hidden, change = products.leave(self._seen, layer.out, hidden, scale)
            norm = Norm(layer.before_mlp, epsilon, scale)
            hidden, gated = products.enter_gated(hidden, change, norm, layer.gate_up)
            hidden, change = products.leave(gated, layer.down, hidden, scale)

    def _is_right(self, size: Size, tile: Tile) -> bool:
        expected = self._product(size, {}).float()
        try:
            off = self._product(size, {size: tile}).float() - expected
        except Exception as error:  # noqa: BLE001 - whatever it is: there is the library
            log.warning("%s of %s cannot be: %s", tile, size, error)
            return False
        share = off.square().mean().sqrt() / expected.square().mean().sqrt()
        is_right = bool(share <= TOLERANCE)  # not-a-number is wrong as well
        if not is_right:
            log.warning("%s of %s is off by %.1e.", tile, size, float(share))
        return is_right

    def _product(self, size: Size, choice: Choice) -> Tensor:
        """One product on its own."""
        self._products.choice = choice
        first, linear, x = self._layers[0], self.sizes[size], self._drawn[size]
        if size.role == "leave":
            nothing = x.new_zeros(len(x), size.outputs)
            hidden, change = self._products.leave(x, linear, nothing, None)
            return hidden if change is None else change
        norm = Norm(first.before_mlp, first.epsilon, None)
        return getattr(self._products, size.role)(x, None, norm, linear)[1]


def seconds_of_replay(run: Callable[[], object]) -> float:
    """How long a graph of ``run`` takes; the least of several times."""
    run()
    usual, graph = torch.cuda.current_stream(), torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
            run()
    finally:
        torch.cuda.set_stream(usual)  # a capture that fails leaves its own
    return min([_seconds(graph) for _ in range(WARM_UP + REPEATS)][WARM_UP:])


def _seconds(graph: torch.cuda.CUDAGraph) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    graph.replay()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000
