"""The official package and our engine, in turn, on the same full-size random weights, one process.

    python -m benchmarks.engine --models voxcpm-0.5b --requests 1 4 8 --pairs 5
    python -m benchmarks.engine --models voxcpm2 --device cuda --requests --steps 1 16 64 --arrivals
    python -m benchmarks.engine --models tiny                # a look: it shows that it works

Prints medians of pairs, their ratios, the distance to the machine's floor, first audio with a voice
and without; with ``--steps`` the time of a step, and with ``--arrivals`` what listeners hear in a
closed loop and as they come.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import soundfile
import torch

from benchmarks import floor, machine, steps
from benchmarks.arrivals import Heard, Listeners
from benchmarks.checkpoints import build
from benchmarks.figures import Verdict, percentile
from benchmarks.sides import (
    TIMESTEPS,
    MemoryEngine,
    Ours,
    Stock,
    describe,
    voice_of,
    wait_until_ready,
)
from speech.engine.voxcpm.vae import Precision

MODELS = ("voxcpm-0.5b", "voxcpm1.5", "voxcpm2", "tiny")
# What the engine is built to reach on a CPU, VoxCPM-0.5B in bfloat16: stock's time over ours.
REACH = {1: 2.2, 4: 5.0, 8: 7.0}
# And on an H200 VoxCPM2: milliseconds of a step by streams, first audio alone, and its 95th
# percentile beside others.
STEP_REACH = {1: 4.0, 16: 7.0, 64: 20.0}
IDLE_REACH = 20.0
BUSY_REACH = 100.0
VOICE_SECONDS = 10
MOST_ALONE = 32
LENGTH = 1024


def main() -> None:
    """Measure what was asked for and print it."""
    options = _options()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(json.dumps(machine.description() | {"torch": torch.__version__} | machine.noise()))
    results: dict[str, Any] = {}
    for name in options.models:
        results[name] = measure(name, options)
    print(json.dumps(machine.noise()))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One model, everything that was asked for."""
    begin = time.perf_counter()
    model = build(name, options.device, options.dtype)
    print(f"\n{name}, {options.dtype} on {options.device}: built in {_since(begin):.1f} s")
    results: dict[str, Any] = {"pairs": {}, "steps": {}}
    with torch.inference_mode(), _engine(model, name, options) as engine:
        results["notice"] = engine.stats().notice
        results["products"] = engine.runner.loaded.passes.products
        if results["products"]:
            print(results["products"])
        ours = Ours(engine)
        ours.run(1, 3)
        for streams in options.steps:
            results["steps"][streams] = _steps(name, model, engine, streams, options)
        if options.requests or options.voice:
            stock = Stock(model)
            stock.run(1, 3)
        for requests in options.requests:
            results["pairs"][requests] = _pairs(name, model, stock, ours, requests, options)
        if options.voice:
            results["voice"] = _voice(model, stock, ours, options.patches)
        if options.arrivals:
            results["arrivals"] = _arrivals(name, engine, options)
    return results


@contextmanager
def _engine(model: Any, name: str, options: argparse.Namespace) -> Iterator[MemoryEngine]:
    engine = MemoryEngine(
        model,
        describe(name, model),
        LENGTH,
        slots=max([*options.requests, *options.steps, options.listeners]),
        graphs=options.graphs,
        fused=options.fused,
        graph_batches=options.graph_batches,
        graph_timesteps=options.graph_timesteps,
        vae_precision=options.vae_precision,
        queue_seconds=60.0,
    )
    engine.start()
    try:
        wait_until_ready(engine)
        yield engine
    finally:
        engine.stop()


def _is_on_gpu(name: str, options: argparse.Namespace) -> bool:
    """Whether the figures to reach on a GPU are meant for this."""
    return name == "voxcpm2" and options.device.startswith("cuda")


def _steps(
    name: str, model: Any, engine: MemoryEngine, streams: int, options: argparse.Namespace
) -> dict[str, float]:
    """The time of a step, and what the machine would allow."""
    taken = steps.measure(engine.runner, streams, options.step_count)
    weight = model.base_lm.embed_tokens.weight
    rows = floor.rows_of_step(model, streams)
    rates = floor.measure(weight.device, weight.dtype, rows)
    least = floor.of_step(model, streams, TIMESTEPS).seconds(rates)
    median, late = statistics.median(taken), percentile(taken, 95)
    print(
        f"a step of {streams}: median {median * 1000:.2f} ms, p95 {late * 1000:.2f} ms, "
        f"{median / least:.1f} times the floor of {least * 1000:.2f} ms ({rates})"
    )
    if _is_on_gpu(name, options) and streams in STEP_REACH:
        print(Verdict(f"a step of {streams}", median * 1000, STEP_REACH[streams], "ms"))
    return {"median": median, "p95": late, "floor": least}


def _pairs(
    name: str, model: Any, stock: Stock, ours: Ours, requests: int, options: argparse.Namespace
) -> dict[str, float]:
    """Both sides in turn; medians and the ratio of each pair's medians."""
    ratios, firsts, stocks, mine = [], [], [], []
    for pair in range(options.pairs):
        sides = [lambda: stock.run(requests, options.patches)]
        sides.append(lambda: ours.run(requests, options.patches))
        # Who goes first changes, so that neither profits from what the machine does meanwhile.
        order = (0, 1) if pair % 2 == 0 else (1, 0)
        runs = {index: sides[index]() for index in order}
        stocks.append(runs[0].seconds)
        mine.append(runs[1].seconds)
        ratios.append(runs[0].seconds / runs[1].seconds)
        firsts.append(max(runs[1].first_audio) / runs[0].first_audio[0])
        if runs[0].samples != runs[1].samples:
            raise SystemExit("The two sides did not say equally much.")
    device, dtype = (
        model.base_lm.embed_tokens.weight.device,
        model.base_lm.embed_tokens.weight.dtype,
    )
    rates = floor.measure(device, dtype, floor.rows_of_step(model, requests))
    least = floor.of_step(model, requests, TIMESTEPS).seconds(rates)
    step = statistics.median(mine) / options.patches
    ratio = statistics.median(ratios)
    print(
        f"{requests} at once: stock {statistics.median(stocks):.2f} s, "
        f"ours {statistics.median(mine):.2f} s, {ratio:.2f} times "
        f"(pairs {min(ratios):.2f} to {max(ratios):.2f}); last first audio "
        f"{statistics.median(firsts):.2f} of stock's first; a step {step * 1000:.0f} ms, "
        f"{step / least:.1f} times the floor ({rates})"
    )
    if name == "voxcpm-0.5b" and str(options.device) == "cpu" and requests in REACH:
        subject = f"stock's time over ours, {requests} at once"
        print(Verdict(subject, ratio, REACH[requests], "", at_least=True))
        if requests == 1:
            print(Verdict("first audio over stock's", statistics.median(firsts), 0.7, ""))
    return {"ratio": ratio, "first": statistics.median(firsts), "step": step, "floor": least}


def _voice(model: Any, stock: Stock, ours: Ours, patches: int) -> dict[str, float]:
    """First audio with a recording of ten seconds, at its first use and later."""
    rate = model.audio_vae.sample_rate
    seconds = np.arange(VOICE_SECONDS * rate) / rate
    samples = (0.3 * np.sin(2 * np.pi * 200 * seconds)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "voice.wav"
        soundfile.write(recording, samples, rate, subtype="FLOAT")
        theirs = stock.run(1, patches, recording).first_audio[0]
    voice = voice_of(samples, rate)
    fresh = ours.run(1, patches, voice).first_audio[0]
    cached = statistics.median(ours.run(1, patches, voice).first_audio[0] for _ in range(3))
    print(
        f"a voice of {VOICE_SECONDS} s: first audio of stock {theirs:.2f} s each time; ours "
        f"{fresh:.2f} s once, then {cached:.2f} s"
    )
    print(Verdict("first audio with a cached voice over stock's", cached / theirs, 0.1, ""))
    return {"stock": theirs, "fresh": fresh, "cached": cached}


def _first(subject: str, heard: Heard, percent: float, reach: float) -> None:
    print(Verdict(subject, 1000 * percentile(heard.first, percent), reach, "ms"))


def _arrivals(name: str, engine: MemoryEngine, options: argparse.Namespace) -> dict[str, str]:
    """Prefill between two steps: what newcomers gain and running streams lose."""
    listeners = Listeners(engine, options.patches, lines=options.lines, letters=options.letters)
    alone = listeners.closed(1, min(MOST_ALONE, options.listeners * options.takes))
    results = {"alone": str(alone)}
    print(f"alone: {alone}")
    if _is_on_gpu(name, options):
        _first("first audio alone, median", alone, 50, IDLE_REACH)
    for budget in options.prefill:
        tokens, passes = map(int, budget.split("x"))
        engine.read_in(tokens, passes)
        closed = listeners.closed(options.listeners, options.takes)
        per_second = 0.7 * len(closed.first) / closed.seconds
        came = listeners.poisson(options.listeners * options.takes, per_second)
        results[f"closed {budget}"], results[f"poisson {budget}"] = str(closed), str(came)
        print(f"prefill {budget}, closed loop of {options.listeners}: {closed}", flush=True)
        print(f"prefill {budget}, Poisson at 70 %: {came}", flush=True)
        if _is_on_gpu(name, options):
            _first(
                f"first audio in a closed loop of {options.listeners}, p95", closed, 95, BUSY_REACH
            )
            _first("first audio under Poisson arrivals at 70 %, p95", came, 95, BUSY_REACH)
    return results


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["voxcpm-0.5b"])
    parser.add_argument("--requests", nargs="*", type=int, default=[1, 4, 8])
    parser.add_argument("--steps", nargs="*", type=int, default=[], help="streams of a timed step")
    parser.add_argument("--step-count", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--patches", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--graphs", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--fused", action=argparse.BooleanOptionalAction, default=True, help="hand-made kernels"
    )
    parser.add_argument("--graph-batches", nargs="*", type=int, default=[])
    parser.add_argument("--graph-timesteps", nargs="*", type=int, default=[])
    parser.add_argument("--vae-precision", choices=get_args(Precision), default="")
    parser.add_argument("--voice", action="store_true")
    parser.add_argument("--arrivals", action="store_true")
    parser.add_argument("--listeners", type=int, default=8)
    parser.add_argument("--takes", type=int, default=4)
    parser.add_argument(
        "--lines", action="store_true", help="every fourth listener asks for a long line"
    )
    parser.add_argument(
        "--letters",
        type=int,
        help="cut each text: the benchmark's tokenizer makes a position of each letter, where the"
        " published ones make one of about four",
    )
    parser.add_argument(
        "--prefill",
        nargs="+",
        default=["128x1", "512x1", "512x2", "512x4"],
        help="positions of a pass, and passes between two steps",
    )
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
