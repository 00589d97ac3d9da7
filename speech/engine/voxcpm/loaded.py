"""A loaded model with all that belongs to it, from the checkpoint's files to resident tensors.

Chooses what the configuration leaves open. Knows nothing of sequences.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any

import torch

from speech.engine.errors import EngineUnavailable
from speech.engine.types import VoicePrompt
from speech.engine.voxcpm import race
from speech.engine.voxcpm.checkpoint import usable_checkpoint
from speech.engine.voxcpm.config import VoxCPMConfig
from speech.engine.voxcpm.graphs import GraphPasses
from speech.engine.voxcpm.int8 import quantize
from speech.engine.voxcpm.memory import is_out_of_memory
from speech.engine.voxcpm.model import BatchedModel
from speech.engine.voxcpm.outbox import Outbox
from speech.engine.voxcpm.packing import pack
from speech.engine.voxcpm.passes import EagerPasses
from speech.engine.voxcpm.precision import choose_vae
from speech.engine.voxcpm.recordings import Recordings
from speech.engine.voxcpm.vae import StreamingVAE
from speech.engine.voxcpm.voice_cache import VoiceCache, VoiceFeatures
from speech.engine.voxcpm.weights import load_model

log = logging.getLogger(__name__)

SLOTS = {"cuda": 64, "mps": 8, "cpu": 8}
PREFILL = {"cuda": (512, 2), "mps": (512, 2), "cpu": (512, 1)}
"""Positions of a pass over prompts, and passes between two steps. On a CPU a pass lasts, and those
who speak wait meanwhile: ``benchmarks/README.md`` says what was measured."""
LONGEST = 2048
"""Positions of a slot: two minutes and more of audio, and room for a voice and a text."""


@dataclass(slots=True, eq=False)
class Loaded:
    """What there is while a model is loaded."""

    architecture: str
    tokenizer: Any
    model: BatchedModel
    vae: StreamingVAE
    recordings: Recordings
    voices: VoiceCache
    passes: EagerPasses | GraphPasses
    outbox: Outbox
    prefill: tuple[int, int]
    """The most positions of a pass over prompts, and the most passes between two steps."""
    notice: str
    """What runs otherwise than was asked for, in sentences."""
    _tokenizing: threading.Lock = field(default_factory=threading.Lock)

    def tokenize(self, text: str) -> list[int]:
        """Token ids, as the package takes them; never a token that begins or ends a text."""
        # The tokenizer keeps settings of a call in itself: two threads at once break it.
        with self._tokenizing:
            ids: list[int] = self.tokenizer(text)
            return ids

    def features(self, voice: VoicePrompt) -> VoiceFeatures:
        """What the model knows of ``voice``, from the cache or heard now."""
        return self.voices.get(voice.key, lambda: self.recordings.features(voice))


def load(config: VoxCPMConfig) -> Loaded:
    """Load the checkpoint. Raises EngineUnavailable with a sentence that says why not."""
    checkpoint = usable_checkpoint(config.model)  # it may have changed since the start
    if config.threads:
        torch.set_num_threads(config.threads)
    quantized = config.dtype == "int8"
    dtype = "float32" if quantized else config.dtype or None
    official = load_model(checkpoint.path, config.device, dtype)
    length = min(config.max_length or LONGEST, checkpoint.max_length)
    try:
        return assemble(official, checkpoint.architecture, config, length, quantized=quantized)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise EngineUnavailable(
            f"{official.device} has too little memory free for the slots beside the model: set"
            " ENGINE_SLOTS or ENGINE_MAX_LENGTH lower."
        ) from error


def assemble(
    official: Any, architecture: str, config: VoxCPMConfig, length: int, *, quantized: bool = False
) -> Loaded:
    """Drive a model of the official package by slots of ``length`` positions."""
    device = torch.device(official.device)
    slots = config.slots or SLOTS[device.type]
    with torch.inference_mode():
        model = BatchedModel(official, slots, length)
        if quantized:
            quantize(model)
        pack(model)
        vae, objection = choose_vae(official.audio_vae, slots, config.vae_precision, model.dtype)
    passes = choose_passes(model, vae, config)
    tokens, times = PREFILL[device.type]
    return Loaded(
        architecture=architecture,
        tokenizer=official.text_tokenizer,
        model=model,
        vae=vae,
        recordings=Recordings(model, vae, architecture),
        voices=VoiceCache(config.voice_cache_bytes),
        passes=passes,
        outbox=Outbox(model.device, slots, model.patch_size * vae.hop_out),
        prefill=(config.prefill_tokens or tokens, config.prefill_passes or times),
        notice=" ".join(filter(None, (passes.notice, objection))),
    )


def choose_passes(
    model: BatchedModel, vae: StreamingVAE, config: VoxCPMConfig
) -> EagerPasses | GraphPasses:
    """Eager passes, or replayed ones where there is CUDA and they are wanted."""
    eager = EagerPasses(model, vae)
    if model.device.type != "cuda" or not config.graphs:
        return eager
    with torch.inference_mode(), torch.cuda.device(model.device):
        graphs = GraphPasses(
            eager,
            batches=config.graph_batches,
            timesteps=config.graph_timesteps,
            notice=_fuse(eager) if config.fused else "",
        )
        graphs.capture(lambda done, of: log.info("Captured %d of %d CUDA graphs.", done, of))
    return graphs


def _fuse(eager: EagerPasses) -> str:
    """Let kernels do what they can; a notice where there are none."""
    try:
        from speech.engine.voxcpm.kernels import Products, fusion
    except ImportError:
        return "Kernels are not fused: Triton, which comes with torch for CUDA, is not installed."
    products = Products()
    eager.fuse(fusion(products), race.run(eager.model.transformers, products))
    return ""
