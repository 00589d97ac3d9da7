"""VoiceCache: what the model has computed of voices, so that a second use computes nothing.

Bounded by bytes; what was used longest ago goes first. Knows nothing of where features come from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from speech.engine.types import is_of
from speech.engine.voxcpm.vae import State


@dataclass(slots=True)
class Heard:
    """A recording as the model hears it: latents [T, P, C] and their embeddings [T, H]."""

    latents: Tensor
    embeddings: Tensor


@dataclass(slots=True)
class Prefix:
    """What both language models remember of a prompt's first ``tokens``."""

    tokens: tuple[int, ...]
    base: Tensor
    residual: Tensor

    def first(self, length: int) -> tuple[Tensor, Tensor]:
        """Of so many tokens alone."""
        return self.base[:, :, :length], self.residual[:, :, :length]

    @property
    def nbytes(self) -> int:
        size: int = self.base.nbytes + self.residual.nbytes
        return size


@dataclass(slots=True)
class VoiceFeatures:
    """All that is known of a voice. ``prefix`` is of what stands before any text: its fenced
    reference and its transcript; ``state`` the decoder's after the recording to continue."""

    reference: Heard | None = None
    prompt: Heard | None = None
    state: State | None = None
    prefix: Prefix | None = None

    @property
    def nbytes(self) -> int:
        """What it costs to keep."""
        heard = [part for part in (self.reference, self.prompt) if part]
        parts = [tensor for part in heard for tensor in (part.latents, part.embeddings)]
        kept = [part for part in (*parts, self.prefix, self.state) if part is not None]
        return sum(part.nbytes for part in kept)


class VoiceCache:
    """Features by the key of their VoicePrompt."""

    def __init__(self, max_bytes: int) -> None:
        self.misses = 0
        self._max_bytes = max_bytes
        self._voices: OrderedDict[str, VoiceFeatures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._voices)

    @property
    def nbytes(self) -> int:
        """What is kept now."""
        return sum(features.nbytes for features in self._voices.values())

    def get(self, key: str, compute: Callable[[], VoiceFeatures]) -> VoiceFeatures:
        """The features kept under ``key``, else those that ``compute`` gives."""
        features = self._voices.pop(key, None)
        if features is None:
            self.misses += 1
            features = compute()
        self.put(key, features)
        return features

    def forget(self, voice: str) -> None:
        """Keep nothing under ``voice``, nor under what begins so before a colon."""
        for key in [key for key in self._voices if is_of(key, voice)]:
            del self._voices[key]

    def put(self, key: str, features: VoiceFeatures) -> None:
        """Keep ``features`` as the latest."""
        self._voices.pop(key, None)
        self._voices[key] = features
        self._make_room()

    def grown(self, key: str) -> None:
        """What is kept under ``key``, if it still is, takes more than before."""
        if key in self._voices:
            self._voices.move_to_end(key)
            self._make_room()

    def _make_room(self) -> None:
        while self._voices and self.nbytes > self._max_bytes:
            self._voices.popitem(last=False)
