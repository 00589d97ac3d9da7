"""Occupant: the sequence that has a slot, as the runner sees it: what it is to hear, how far it is.

Knows nothing of streams; those belong to the engine's own sequences.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from speech.engine.types import FinishReason
from speech.engine.voxcpm.model import BatchedModel
from speech.engine.voxcpm.prompt import AUDIO, LEAST_PATCHES, Prompt
from speech.engine.voxcpm.voice_cache import VoiceFeatures


@dataclass(slots=True, eq=False)
class Occupant:
    """``text`` and ``audio`` are the prompt's embeddings [T, H], each zero where ``is_audio`` [T]
    says that the other one counts; ``position`` is how many tokens its slot has seen; ``drawn`` is
    the noise of a patch that is not made yet."""

    prompt: Prompt
    features: VoiceFeatures | None
    text: Tensor
    audio: Tensor
    is_audio: Tensor
    noise: torch.Generator
    position: int = 0
    patches: int = 0
    drawn: Tensor | None = None
    reason: FinishReason | None = None
    latents: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, prompt: Prompt, features: VoiceFeatures | None, model: BatchedModel) -> Occupant:
        """Embed a prompt whose recordings have been heard."""
        tokens = torch.tensor(prompt.tokens, device=model.device)
        is_audio = tokens == AUDIO
        text = model.embed_text(tokens.clamp(min=0)).masked_fill(is_audio.unsqueeze(1), 0)
        audio = torch.zeros_like(text)
        if features is not None:
            heard = [part for part in (features.reference, features.prompt) if part]
            audio[is_audio] = torch.cat([part.embeddings for part in heard])
        noise = torch.Generator(model.device)
        noise.manual_seed(prompt.seed)
        return cls(prompt, features, text, audio, is_audio, noise)

    @property
    def to_consume(self) -> int:
        """Tokens of the prompt that its slot has not seen yet."""
        return max(0, len(self.prompt.tokens) - self.position)

    def count_patch(self, stop: bool) -> FinishReason | None:
        """Another patch was made, of which the stop head said ``stop``: is it the last, and why?"""
        believed = stop and self.patches > LEAST_PATCHES
        self.patches += 1
        if believed:
            self.reason = FinishReason.STOP
        elif self.patches >= self.prompt.max_patches:
            self.reason = FinishReason.LENGTH
        return self.reason
