"""The two sides of the engine's benchmark, on one model in memory: the official package, and ours.

Both speak the same requests: so many patches each, whatever the stop head of random weights thinks.
"""

from __future__ import annotations

import contextlib
import io
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from speech.engine.types import EngineState, Recording, SamplingParams, Utterance, VoicePrompt
from speech.engine.voxcpm.checkpoint import Checkpoint
from speech.engine.voxcpm.config import VoxCPMConfig
from speech.engine.voxcpm.engine import VoxCPMEngine
from speech.engine.voxcpm.loaded import assemble
from speech.engine.voxcpm.runner import ModelRunner

TEXT = "The quick brown fox jumps over the lazy dog, and the dog looks on without a word."
LINE = " ".join([TEXT] * 8)
"""A long line, which takes eight times as long to read in."""
TRANSCRIPT = "What was said in the recording."
TIMESTEPS = 10
GUIDANCE = 2.0


@dataclass(frozen=True)
class Run:
    """What one side needed for some requests: until all was said, and until each was heard."""

    seconds: float
    first_audio: tuple[float, ...]
    samples: int


class Stock:
    """The official package's model, one request after the other, streamed."""

    def __init__(self, model: Any) -> None:
        self._model = model
        for language_model in (model.base_lm, model.residual_lm):
            weight = model.base_lm.embed_tokens.weight
            language_model.setup_cache(1, model.config.max_length, weight.device, weight.dtype)

    def run(self, requests: int, patches: int, recording: Path | None = None) -> Run:
        """Say it ``requests`` times, one after the other; a recording is encoded each time."""
        begin = time.perf_counter()
        first, samples = [], 0
        for index in range(requests):
            heard = False
            for chunk in self._say(index, patches, recording):
                if not heard:
                    first.append(time.perf_counter() - begin)
                    heard = True
                samples += chunk.shape[-1]
        return Run(time.perf_counter() - begin, tuple(first), samples)

    def _say(self, seed: int, patches: int, recording: Path | None) -> Any:
        torch.manual_seed(seed)
        with contextlib.redirect_stderr(io.StringIO()):
            prompt = None
            if recording:
                prompt = self._model.build_prompt_cache(
                    prompt_text=TRANSCRIPT, prompt_wav_path=str(recording)
                )
            stream = self._model.generate_with_prompt_cache_streaming(
                TEXT,
                prompt,
                min_len=patches,
                max_len=patches,
                inference_timesteps=TIMESTEPS,
                cfg_value=GUIDANCE,
            )
            for audio, *_ in stream:
                yield audio


def describe(name: str, model: Any) -> Checkpoint:
    """What a directory with the model would be described as."""
    nowhere = Path(name)
    return Checkpoint(
        path=nowhere,
        architecture="voxcpm2" if name == "voxcpm2" else "voxcpm",
        name="voxcpm-0.5b" if name == "tiny" else name,  # its shape in small
        sample_rate=model.sample_rate,
        patch_size=model.patch_size,
        feat_dim=model.feat_dim,
        max_length=model.config.max_length,
        dtype=model.config.dtype,
        weights=nowhere,
        vae=nowhere,
    )


class MemoryRunner(ModelRunner):
    """A runner whose model is in memory already."""

    def __init__(self, model: Any, architecture: str, config: VoxCPMConfig, length: int) -> None:
        super().__init__(config)
        self._given = model, architecture, config, length

    def load(self) -> None:
        self._loaded = assemble(*self._given)


class MemoryEngine(VoxCPMEngine):
    """The engine as it is served, on a model in memory."""

    def __init__(self, model: Any, checkpoint: Checkpoint, length: int, **options: Any) -> None:
        self._checkpoint = checkpoint
        self._given = model
        self._length = length
        super().__init__(model=str(checkpoint.path), **options)

    def read_in(self, tokens: int, passes: int) -> None:
        """Let so many prefill passes of so many positions come between two steps."""
        self._prefill_tokens, self._prefill_passes = tokens, passes

    @property
    def runner(self) -> ModelRunner:
        """The loaded runner, to be driven while the engine has nothing to do."""
        runner: ModelRunner = self._runner
        return runner

    def _describe(self) -> Checkpoint:
        return self._checkpoint

    def _make_runner(self) -> MemoryRunner:
        return MemoryRunner(self._given, self._checkpoint.architecture, self._config, self._length)


def wait_until_ready(engine: VoxCPMEngine) -> None:
    """Until the model is loaded. Exits with the engine's reason where it cannot be."""
    while engine.stats().state in (EngineState.COLD, EngineState.LOADING):
        time.sleep(0.05)
    stats = engine.stats()
    if stats.state is not EngineState.READY:
        raise SystemExit(stats.reason)
    print(f"loaded in {stats.load_seconds or 0.0:.1f} s. {stats.notice}")


class Ours:
    """Our engine, all requests at once."""

    def __init__(self, engine: VoxCPMEngine) -> None:
        self.engine = engine

    def run(self, requests: int, patches: int, voice: VoicePrompt | None = None) -> Run:
        """Say it ``requests`` times at the same time."""
        begin = time.perf_counter()
        first, counts = [0.0] * requests, [0] * requests

        def listen(index: int) -> None:
            params = SamplingParams(index, GUIDANCE, TIMESTEPS, patches)
            for chunk in self.engine.submit(Utterance(TEXT, voice, params=params)):
                first[index] = first[index] or time.perf_counter() - begin
                counts[index] += len(chunk.samples)

        threads = [threading.Thread(target=listen, args=(index,)) for index in range(requests)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Run(time.perf_counter() - begin, tuple(first), sum(counts))


def voice_of(samples: np.ndarray, rate: int) -> VoicePrompt:
    """A recording to continue."""
    return VoicePrompt("benchmark", prompt=Recording(samples, rate, TRANSCRIPT))
