"""Recordings as the model hears them: resampled, padded to whole patches, encoded, embedded.

Prepares audio exactly as the official package does, which differs between its two models. Keeps
nothing; the voice cache does.
"""

from __future__ import annotations

import math

import numpy as np
import soxr
import torch
import torch.nn.functional as F
from torch import Tensor

from speech.engine.types import Recording, Samples, VoicePrompt
from speech.engine.voxcpm.model import BatchedModel
from speech.engine.voxcpm.official import use_torchaudio
from speech.engine.voxcpm.prompt import count_patches
from speech.engine.voxcpm.vae import State, StreamingVAE
from speech.engine.voxcpm.voice_cache import Heard, VoiceFeatures

CONTEXT_PATCHES = {"voxcpm": 2, "voxcpm2": 3}
"""Patches of the prompt recording that the package decodes before the first new one."""

PIECE = 64
"""Patches that the local encoder takes at once: bounds its memory."""


class Recordings:
    """Turns a VoicePrompt into VoiceFeatures."""

    def __init__(self, model: BatchedModel, vae: StreamingVAE, architecture: str) -> None:
        self._model = model
        self._vae = vae
        self._architecture = architecture
        self._patch_samples = model.patch_size * vae.hop

    def count_patches(self, recording: Recording | None) -> int:
        """Patches that ``recording`` will come to."""
        if recording is None:
            return 0
        samples = len(recording.samples)
        rate = self._vae.sample_rate
        return count_patches(samples, recording.sample_rate, rate, self._patch_samples)

    def features(self, voice: VoicePrompt) -> VoiceFeatures:
        """Everything that the model needs of a voice: seconds of work for seconds of audio."""
        features = VoiceFeatures()
        if voice.reference is not None:
            features.reference = self._hear(voice.reference, at_start=False)
        if voice.prompt is not None:
            features.prompt = self._hear(voice.prompt, at_start=True)
            features.state = self._state_after(features.prompt.latents)
        return features

    def remembered(self, latents: Tensor) -> VoiceFeatures:
        """The features of speech that the model has made itself, from its patches [T, P, C]."""
        return VoiceFeatures(prompt=self._embed(latents), state=self._state_after(latents))

    def _hear(self, recording: Recording, *, at_start: bool) -> Heard:
        audio = self._resample(recording.samples, recording.sample_rate)
        padding = -len(audio) % self._patch_samples
        audio = F.pad(audio, (padding, 0) if at_start else (0, padding))
        latents = self._vae.encode(audio)
        patches = latents.view(len(latents), -1, self._model.patch_size).permute(1, 2, 0)
        return self._embed(patches.to(self._model.dtype).contiguous())

    def _embed(self, latents: Tensor) -> Heard:
        pieces = [self._model.embed_patches(piece) for piece in latents.split(PIECE)]
        return Heard(latents, torch.cat(pieces))

    def _state_after(self, latents: Tensor) -> State:
        context = latents[-CONTEXT_PATCHES[self._architecture] :].float()
        return self._vae.prime(context.flatten(0, 1).T)

    def _resample(self, samples: Samples, rate: int) -> Tensor:
        """To the encoder's rate: VoxCPM2 resamples with soxr, its predecessors with torchaudio."""
        target = self._vae.sample_rate
        if rate == target:
            resampled = torch.from_numpy(samples)
        elif self._architecture == "voxcpm2":
            length = math.ceil(len(samples) * target / rate)
            converted = soxr.resample(samples, rate, target, quality="soxr_hq")[:length]
            converted = np.pad(converted, (0, length - len(converted)))
            resampled = torch.from_numpy(converted)
        else:
            functional = use_torchaudio().functional
            resampled = functional.resample(torch.from_numpy(samples), rate, target)
        return resampled.to(self._model.device)
