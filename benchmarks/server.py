"""Measures a live server: latency, streams, small answers, memory. See benchmarks/README.md.

    make bench                              # everything, about ten minutes
    make bench ARGS="--quick"               # a look, about a minute
    make bench ARGS="--formats pcm mp3 --clients 1 64 --sections streams --json out.json"

It starts its own server on loopback, asks nobody else, and ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

# Run as a script: the project's own packages come from its root, not from this folder.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import held, latency, listing, machine, streams  # noqa: E402
from benchmarks.platforms import REAL_TIME, prepare, running  # noqa: E402
from benchmarks.report import Report  # noqa: E402

FORMATS = ("pcm", "wav", "flac", "opus", "mp3", "aac")
CLIENTS = (1, 8, 32, 64, 200)
SECTIONS = ("latency", "listing", "held", "streams")
LARGE_CHUNKS = {**REAL_TIME, "chunk_seconds": 0.16}
MANY_SLOTS = {**REAL_TIME, "slots": 1100, "max_waiting": 1100, "park_seconds": 120}


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a live server on this machine.")
    parser.add_argument("--quick", action="store_true", help="short and small: a look, no verdict")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--clients", nargs="+", type=int, default=CLIENTS)
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    return parser.parse_args(arguments)


async def measure(data_dir: Path, options: argparse.Namespace) -> Report:
    """Every section that was asked for, each on a server of its own."""
    key = prepare(data_dir)
    report = Report(machine.description(), machine.noise())
    quick = options.quick
    if "latency" in options.sections:
        with running(data_dir, key, LARGE_CHUNKS) as platform:
            await latency.after_pcm(platform, 1)
            report.after_pcm = await latency.after_pcm(platform, 2 if quick else 20)
            report.added = await latency.added(platform, LARGE_CHUNKS, 5 if quick else 200)
    if "listing" in options.sections:
        with running(data_dir, key, REAL_TIME) as platform:
            for path in ("/v1/models", "/livez"):
                report.listings.append(await listing.measure(platform, path, 1 if quick else 10))
    if "held" in options.sections:
        count, settle = (20, 0.5) if quick else (1000, 5.0)
        with running(data_dir, key, {**MANY_SLOTS, "speed": 0.2}) as platform:
            report.reading_kb = await held.reading(platform, count, settle)
        with running(data_dir, key, MANY_SLOTS) as platform:
            report.silent = await held.silent(platform, count, settle)
    if "streams" in options.sections:
        with running(data_dir, key, REAL_TIME) as platform:
            for name in options.formats:
                for clients in options.clients:
                    row = await streams.measure(platform, name, clients, 1 if quick else 6)
                    report.streams.append(row)
                    print(row, file=sys.stderr)
    report.noise_after = machine.noise()
    return report


def main(arguments: list[str] | None = None) -> None:
    chosen = options(arguments)
    with tempfile.TemporaryDirectory() as data_dir:
        report = asyncio.run(measure(Path(data_dir), chosen))
    print(report.as_markdown())
    if chosen.json:
        chosen.json.write_text(json.dumps(report.as_data(), indent=2) + "\n")


if __name__ == "__main__":
    main()
