"""Takes: what to say with which settings, said by the official package and by our runner."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from speech.engine.types import Recording, SamplingParams, Utterance, VoicePrompt
from speech.engine.voxcpm.config import VoxCPMConfig
from speech.engine.voxcpm.prompt import AUDIO, count_patches, lay_out
from speech.engine.voxcpm.runner import ModelRunner
from tests.engine.voxcpm.stock import generate

NEAR_A_TIE = 1e-4
"""A quantised value as close to a tie may fall on either side on another processor."""


@dataclass(frozen=True)
class Take:
    """One request; ``reference`` and ``prompt`` are seconds and rates of recordings."""

    text: str
    seed: int
    timesteps: int = 10
    cfg: float = 2.0
    patches: int = 12
    reference: tuple[float, int] | None = None
    prompt: tuple[float, int] | None = None
    transcript: str = "As it was said."

    def utterance(self) -> Utterance:
        """What our engine is asked for."""
        voice = None
        if self.reference or self.prompt:
            key = f"{self.reference} {self.prompt}"
            prompt = _recording(self.prompt, self.transcript)
            voice = VoicePrompt(key=key, reference=_recording(self.reference), prompt=prompt)
        params = SamplingParams(self.seed, self.cfg, self.timesteps, self.patches)
        return Utterance(self.text, voice, params=params)

    def by_stock(self, stock: Any, folder: Path) -> np.ndarray:
        """What the package says, whole."""
        options: dict[str, Any] = {}
        if self.reference:
            options["reference_wav_path"] = _file(self.reference, folder)
        if self.prompt:
            options["prompt_wav_path"] = _file(self.prompt, folder)
            options["prompt_text"] = self.transcript
        with far_from_ties(stock.tts_model, self._layout(stock.tts_model)):
            return generate(
                stock,
                self.text,
                self.seed,
                cfg_value=self.cfg,
                inference_timesteps=self.timesteps,
                max_len=self.patches,
                **options,
            )

    def _layout(self, model: Any) -> tuple[int, ...]:
        patch = model.patch_size * model.chunk_size
        rate = model.audio_vae.sample_rate
        counts = [
            count_patches(round(length[0] * length[1]), length[1], rate, patch) if length else 0
            for length in (self.reference, self.prompt)
        ]
        text = self.transcript + self.text if self.prompt else self.text
        return lay_out(model.text_tokenizer(text), *counts)


def sound(length: tuple[float, int]) -> np.ndarray:
    seconds, rate = length
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(rate).normal(size=len(time))
    return (0.3 * np.sin(2 * np.pi * 180 * time) + 0.05 * noise).astype(np.float32)


def _recording(length: tuple[float, int] | None, transcript: str | None = None):
    return Recording(sound(length), length[1], transcript) if length else None


def _file(length: tuple[float, int], folder: Path) -> str:
    path = folder / f"{length[0]}-{length[1]}.wav"
    soundfile.write(path, sound(length), length[1], subtype="FLOAT")
    return str(path)


class NearTie(AssertionError):
    """Rounding alone may change what the package says here."""


@contextlib.contextmanager
def far_from_ties(model: Any, layout: tuple[int, ...]) -> Iterator[None]:
    """Fails when a value was quantised that rounding errors alone could have turned over; what the
    package quantises of a prompt's text it throws away."""
    layer = model.fsq_layer
    is_audio = torch.tensor(layout) == AUDIO
    nearest = [1.0]

    def look(module: Any, inputs: Any, output: torch.Tensor) -> None:
        scaled = torch.tanh(output[:, is_audio] if output.ndim == 3 else output) * layer.scale
        if scaled.numel():
            nearest.append(float(((scaled - scaled.floor()) - 0.5).abs().min()))

    hook = layer.in_proj.register_forward_hook(look)
    try:
        yield
    finally:
        hook.remove()
    if min(nearest) <= NEAR_A_TIE:
        raise NearTie(f"choose another seed: {min(nearest):.1e} from a tie")


def make_runner(model: Path, **options: Any) -> ModelRunner:
    """A loaded runner, on the CPU unless ``device`` says otherwise."""
    runner = ModelRunner(VoxCPMConfig(str(model), **{"device": "cpu", **options}))
    runner.load()
    return runner


def speak(
    runner: ModelRunner,
    takes: list[Take],
    *,
    budget: int = 256,
    joins: Mapping[int, int] | None = None,
    cancels: Mapping[int, int] | None = None,
    before: Callable[[int], None] = lambda step: None,
) -> list[np.ndarray]:
    """All takes, as many at once as there are slots.

    ``joins`` says at which step a take comes (0 if it says nothing), ``cancels`` after how many of
    its patches it leaves; ``before`` is told of each step.
    """
    waiting = sorted(range(len(takes)), key=lambda index: (joins or {}).get(index, 0))
    free = list(range(runner.slots))
    owners: dict[int, int] = {}
    ready: list[int] = []
    audio: list[list[np.ndarray]] = [[] for _ in takes]
    step = 0

    def leave(slot: int) -> None:
        runner.release(slot)
        del owners[slot]
        ready.remove(slot)
        free.append(slot)
        free.sort()

    while waiting or owners:
        while free and waiting and (joins or {}).get(waiting[0], 0) <= step:
            index, slot = waiting.pop(0), free.pop(0)
            utterance = takes[index].utterance()
            runner.begin(slot, runner.prepare(utterance, takes[index].seed))
            owners[slot] = index
        ready += runner.prefill([slot for slot in owners if slot not in ready], budget)
        before(step)
        if ready:
            patches = runner.emit(sorted(ready))
            for patch in patches:
                audio[owners[patch.slot]].append(patch.samples)
            going = [patch.slot for patch in patches if not patch.last]
            if going:
                runner.advance(going)
            for patch in patches:
                index = owners[patch.slot]
                if patch.last or (cancels or {}).get(index) == len(audio[index]):
                    leave(patch.slot)
        step += 1
    return [np.concatenate(parts) for parts in audio]
