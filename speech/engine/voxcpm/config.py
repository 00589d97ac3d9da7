"""VoxCPMConfig: how the VoxCPM engine is to run, as the settings say it.

Plain values, so that a host can send them to another process as JSON. Knows nothing of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoxCPMConfig:
    """``model`` is the checkpoint's directory; 0, "" and None leave a choice to the engine."""

    model: str
    device: str = "auto"
    """``auto`` takes CUDA where there is a card, then MPS, then the CPU."""
    dtype: str = ""
    """``bfloat16``, ``float32``, or on the CPU ``int8``; "" is the checkpoint's own."""
    threads: int = 0
    """Threads of the CPU that a step computes on."""
    slots: int = 0
    """Utterances that run at the same time."""
    interactive_slots: int | None = None
    """Slots that jobs leave free; None is a quarter of all."""
    max_length: int = 0
    """Positions of a slot: voice, text and audio of one utterance together."""
    prefill_tokens: int = 0
    """The most prompt positions that one pass takes in."""
    prefill_passes: int = 0
    """The most passes over prompts between two steps of those who speak: more bring newcomers
    their first audio sooner, fewer keep running streams even."""
    voice_cache_bytes: int = 256 * 1024 * 1024
    """What encoded voices may take in memory."""
    idle_seconds: float = 0.0
    """The model is unloaded when nobody has spoken for so long; 0 keeps it."""
    graphs: bool = True
    """Capture CUDA graphs where there is CUDA."""
    fused: bool = True
    """Let hand-made kernels do what stands between the products of a captured step, and those
    products of few rows that they do faster."""
    graph_batches: Sequence[int] = ()
    """Batch sizes to capture; none are all of the engine's own, and its slots always are one."""
    graph_timesteps: Sequence[int] = ()
    """Schedules to capture; none are the engine's own."""
    vae_precision: str = ""
    """How AudioVAE multiplies: ``exact`` is float32; ``tf32`` and ``bf16`` are held to a bound. ""
    is ``tf32`` on CUDA beside a model that is not in float32, and ``exact`` elsewhere."""
