"""The products of a layer on a GPU: the library's with kernels around them, or hand-made ones.

Which of them depends on their sizes and on the card: ``race.py`` tries it when a model is loaded.
"""

from __future__ import annotations

from torch import Tensor, nn

from speech.engine.voxcpm.kernels import layers
from speech.engine.voxcpm.kernels.few_rows import added_product, gated_product, normed_product
from speech.engine.voxcpm.race import Choice, Role, Tile, size_of
from speech.engine.voxcpm.transformer import Norm


class Products:
    """Does what the functions of these names in ``transformer`` do."""

    def __init__(self) -> None:
        self.choice: Choice = {}
        """Where the hand-made ones are used."""

    def enter(
        self, hidden: Tensor, change: Tensor | None, norm: Norm, linear: nn.Linear
    ) -> tuple[Tensor, Tensor]:
        tile = self._tile("enter", hidden, linear)
        if tile is None:
            hidden, normed = _add_norm(hidden, change, norm)
            return hidden, linear(normed)
        hidden = _added(hidden, change, norm.scale)
        return hidden, normed_product(hidden, norm, linear.weight, tile)

    def enter_gated(
        self, hidden: Tensor, change: Tensor | None, norm: Norm, linear: nn.Linear
    ) -> tuple[Tensor, Tensor]:
        tile = self._tile("enter_gated", hidden, linear)
        if tile is None:
            hidden, normed = _add_norm(hidden, change, norm)
            return hidden, layers.gate(linear(normed))
        hidden = _added(hidden, change, norm.scale)
        return hidden, gated_product(hidden, norm, linear.weight, tile)

    def leave(
        self, x: Tensor, linear: nn.Linear, hidden: Tensor, scale: float | None
    ) -> tuple[Tensor, Tensor | None]:
        tile = self._tile("leave", x, linear)
        if tile is None:
            return hidden, linear(x)
        return added_product(x, linear.weight, hidden, scale, tile), None

    def finish(self, hidden: Tensor, change: Tensor | None, norm: Norm) -> Tensor:
        return _add_norm(hidden, change, norm)[1]

    def _tile(self, role: Role, x: Tensor, linear: nn.Linear) -> Tile | None:
        return self.choice.get(size_of(role, x.numel() // x.shape[-1], linear))


def _add_norm(hidden: Tensor, change: Tensor | None, norm: Norm) -> tuple[Tensor, Tensor]:
    if change is None:
        return hidden, layers.rms_norm(hidden, norm.weight, norm.epsilon)
    return layers.add_norm(hidden, change, norm.scale, norm.weight, norm.epsilon)


def _added(hidden: Tensor, change: Tensor | None, scale: float | None) -> Tensor:
    if change is None:
        return hidden
    return hidden + (change if scale is None else change * scale)
