"""Voices on a checkpoint: are the thirteen built-in ones thirteen, and what does a second use cost?

    python -m benchmarks.voices /path/to/VoxCPM2                  # trained weights: both answers
    python -m benchmarks.voices --tiny                            # a look: it shows that it works

Distinctness is told by the model's own ear: the mean and the spread of the latents that its audio
encoder makes of a recording. A voice that speaks two sentences should be nearer to itself than any
two voices are to each other. Only trained weights say anything about that.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

OTHER = "This is something else entirely, so that only the voice can be the same as it was before."
LENGTHS = (3, 6, 12)
PATCHES = 4


def main() -> None:
    """Measure both, and print them."""
    options = _options()
    with _model(options) as path:
        _set_up(options)
        from benchmarks.sides import wait_until_ready
        from speech.engine.voxcpm.engine import VoxCPMEngine

        engine = VoxCPMEngine(model=str(path), device=options.device, max_length=1024)
        engine.start()
        try:
            wait_until_ready(engine)
            results = {"second_use": second_use(engine)}
            if options.voices:
                results["distinctness"] = distinctness(engine, options.voices)
        finally:
            engine.stop()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


# -- what a second use costs


def second_use(engine: Any) -> list[dict[str, float]]:
    """First audio with a recording at its first use and later, and how often it was encoded."""
    from speech.engine.types import Recording, VoicePrompt

    print("\n| recording | first use | second use | encoded |\n|---|---|---|---|")
    rows, rate = [], 48_000
    _first_audio(engine, None)  # what is slow once
    for seconds in LENGTHS:
        at = np.arange(seconds * rate) / rate
        sound = (0.3 * np.sin(2 * np.pi * 200 * at)).astype(np.float32)
        voice = VoicePrompt(f"bench:{seconds}", prompt=Recording(sound, rate, "What was said."))
        before = _encoded(engine)
        first = _first_audio(engine, voice)
        later = statistics.median(_first_audio(engine, voice) for _ in range(3))
        encoded = _encoded(engine) - before
        print(f"| {seconds} s | {1000 * first:.0f} ms | {1000 * later:.0f} ms | {encoded} x |")
        rows.append({"seconds": seconds, "first": first, "later": later, "encoded": encoded})
    return rows


def _first_audio(engine: Any, voice: Any) -> float:
    from speech.engine.types import SamplingParams, Utterance

    params = SamplingParams(seed=1, max_new_tokens=PATCHES)
    begin = time.perf_counter()
    stream = engine.submit(Utterance("Good evening.", voice, params=params))
    first = 0.0
    for _ in stream:
        first = first or time.perf_counter() - begin
    return first


def _encoded(engine: Any) -> int:
    misses: int = engine._runner.loaded.voices.misses
    return misses


# -- whether thirteen voices are thirteen


def distinctness(engine: Any, count: int) -> dict[str, Any]:
    """Make the voices as the platform does, let each say something else, and compare."""
    from speech.engine.types import Priority, Recording, SamplingParams, Utterance
    from speech.prompts import made_prompt
    from speech.takes import speak_preset
    from voices.presets import PRESETS
    from voices.wav import read_own

    heard: dict[str, list[Any]] = {}
    for preset in itertools.islice(PRESETS.values(), count):
        sample, _ = speak_preset(preset, preset.seed, engine, Priority.JOB, lambda: None)
        samples, rate = read_own(sample.wav)
        prompt = made_prompt(
            f"bench:{preset.name}", Recording(samples, rate, preset.sentence), engine.info
        )
        again = engine.submit(Utterance(OTHER, prompt, params=SamplingParams(seed=1)))
        spoken = np.concatenate([chunk.samples for chunk in again])
        heard[preset.name] = [
            _ear(engine, samples, rate), _ear(engine, spoken, engine.info.sample_rate)
        ]  # fmt: skip
    centre = np.mean([ear for both in heard.values() for ear in both], axis=0)
    within = {name: _cosine(one - centre, two - centre) for name, (one, two) in heard.items()}
    between = {
        f"{a}, {b}": max(_cosine(x - centre, y - centre) for x in heard[a] for y in heard[b])
        for a, b in itertools.combinations(heard, 2)
    }
    closest = max(between, key=lambda pair: between[pair])
    confused = sum(value >= min(within.values()) for value in between.values())
    print(f"\nthe same voice, another sentence: cosine {_spread(within.values())}")
    print(f"two voices: cosine {_spread(between.values())}; the nearest are {closest}")
    print(f"{confused} of {len(between)} pairs are nearer than the voice least like itself")
    return {"within": within, "between": between, "confused": confused}


def _ear(engine: Any, samples: Any, rate: int) -> Any:
    """What the model's own encoder hears, however long it is."""
    import torch

    from speech.engine.types import Recording

    recordings = engine._runner.loaded.recordings
    with torch.inference_mode():
        latents = recordings._hear(Recording(samples, rate), at_start=False).latents
    frames = latents.float().flatten(0, 1).cpu().numpy()
    return np.concatenate([frames.mean(axis=0), frames.std(axis=0)])


def _cosine(one: Any, two: Any) -> float:
    return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two) + 1e-12))


def _spread(values: Any) -> str:
    listed = list(values)
    return f"{min(listed):.2f} to {max(listed):.2f}, median {statistics.median(listed):.2f}"


# -- what is measured


@contextmanager
def _model(options: argparse.Namespace) -> Iterator[Path]:
    if not options.tiny:
        yield options.checkpoint
        return
    from tests.engine.voxcpm.checkpoints import build_tiny

    with tempfile.TemporaryDirectory() as folder:
        yield build_tiny(Path(folder) / "tiny", "voxcpm2")


def _set_up(options: argparse.Namespace) -> None:
    """The voices are made by the platform's own code, which reads settings; no row is touched."""
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="voices-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")
    if options.tiny:
        os.environ["VOICE_CHECKS"] = "report"
    import django

    django.setup()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, nargs="?")
    parser.add_argument("--tiny", action="store_true", help="random weights, to see that it runs")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--voices", type=int, default=13, help="how many; 0 leaves them out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.checkpoint is None and not options.tiny:
        parser.error("Name a checkpoint, or --tiny.")
    return options


if __name__ == "__main__":
    main()
