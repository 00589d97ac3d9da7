"""VoxCPM through HTTP beside the same engine driven directly: first playable audio, and gaps.

    python -m benchmarks.served --model voxcpm2 --device cuda --clients 1 16 64
    python -m benchmarks.served --tiny --clients 1 4

Writes a checkpoint with random weights into a temporary directory, speaks with it in this process,
then serves it with `manage.py serve`; each client asks again when it has heard.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.arrivals import Heard, Listeners
from benchmarks.checkpoints import CONFIGS, write
from benchmarks.client import Take, Target, take
from benchmarks.figures import percentile
from benchmarks.platforms import PATIENT, prepare
from benchmarks.playable import first_playable
from benchmarks.report import table
from benchmarks.sides import GUIDANCE, TEXT, TIMESTEPS, wait_until_ready
from speech.engine.voxcpm.engine import VoxCPMEngine
from speech.engine.voxcpm.memory import return_memory
from tests.engine.voxcpm.checkpoints import build_tiny
from tests.live import LiveServer

FORMATS = ("pcm", "opus", "mp3")
LENGTH = 1024
QUEUE_SECONDS = 60
START_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Row:
    """One format and number of clients; times in milliseconds, ``added`` is HTTP's over the
    engine's own."""

    response_format: str
    clients: int
    takes: int
    direct_p50: float
    direct_p95: float
    first_p50: float
    first_p95: float
    added_p50: float
    added_p95: float
    gap_p99: float
    direct_gap_p99: float
    broken: int


def direct(model: Path, options: argparse.Namespace) -> dict[int, Heard]:
    """What each number of listeners hears of the engine in this process."""
    engine = VoxCPMEngine(
        model=str(model),
        device=options.device,
        slots=options.slots,
        threads=options.threads,
        max_length=LENGTH,
        queue_seconds=QUEUE_SECONDS,
        **_graphs(options),
    )
    engine.start()
    try:
        wait_until_ready(engine)
        listeners = Listeners(engine, options.patches)
        listeners.closed(1, 2)
        return {clients: listeners.closed(clients, options.takes) for clients in options.clients}
    finally:
        engine.stop()


def _graphs(options: argparse.Namespace) -> dict[str, list[int]]:
    """The engine's own options, of which graphs to capture."""
    return {
        "graph_batches": options.graph_batches,
        "graph_timesteps": options.graph_timesteps,
    }


@contextmanager
def serving(model: Path, data_dir: Path, options: argparse.Namespace) -> Iterator[Target]:
    """The platform, with this model."""
    environment = {
        "SPEECH_ENGINE": "voxcpm",
        "SPEECH_MODEL": str(model),
        "DEVICE": options.device,
        "ENGINE_SLOTS": str(options.slots),
        "ENGINE_THREADS": str(options.threads),
        "ENGINE_MAX_LENGTH": str(LENGTH),
        "ENGINE_CONFIG": json.dumps(_graphs(options)),
        **PATIENT,
    }
    key = prepare(data_dir)
    with LiveServer(data_dir, environment, start_seconds=START_SECONDS) as server:
        print(server.get("/readyz").json())
        yield Target(server.port, key)


async def listen(
    target: Target, name: str, clients: int, options: argparse.Namespace
) -> list[Take]:
    """All takes of so many clients, each of which asks again when it has heard."""
    fields = {
        "model": options.model,
        "voice": "default",
        "max_new_tokens": options.patches,
        "cfg_value": GUIDANCE,
        "inference_timesteps": TIMESTEPS,
    }

    async def ask_again(takes: int) -> list[Take]:
        return [await take(target, TEXT, name, **fields) for _ in range(takes)]

    await ask_again(1)
    heard = await asyncio.gather(*(ask_again(options.takes) for _ in range(clients)))
    takes = [each for client in heard for each in client]
    refused = [each for each in takes if each.status != 200]
    if refused:
        raise SystemExit(f"{len(refused)} of {len(takes)} were refused: {refused[0].body!r}")
    return takes


def compare(name: str, clients: int, takes: list[Take], heard: Heard) -> Row:
    """HTTP beside the engine."""
    first = [first_playable(each, name) for each in takes]
    gaps = [gap for each in takes for gap in each.gaps]
    direct_p50, direct_p95 = (1e3 * percentile(heard.first, percent) for percent in (50, 95))
    first_p50, first_p95 = (1e3 * percentile(first, percent) for percent in (50, 95))
    return Row(
        response_format=name,
        clients=clients,
        takes=len(takes),
        direct_p50=direct_p50,
        direct_p95=direct_p95,
        first_p50=first_p50,
        first_p95=first_p95,
        added_p50=first_p50 - direct_p50,
        added_p95=first_p95 - direct_p95,
        gap_p99=1e3 * percentile(gaps or [0.0], 99),
        direct_gap_p99=1e3 * percentile(heard.gaps or [0.0], 99),
        broken=sum(not each.complete for each in takes),
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Every format and number of clients."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if options.tiny:
            kind = "voxcpm" if options.model == "voxcpm-0.5b" else options.model
            model = build_tiny(place / "model", kind)
        else:
            model = write(options.model, place / "model", options.device)
        return_memory()
        heard = direct(model, options)
        return_memory()
        rows = []
        with serving(model, place / "data", options) as target:
            for name in options.formats:
                for clients in options.clients:
                    takes = asyncio.run(listen(target, name, clients, options))
                    rows.append(compare(name, clients, takes, heard[clients]))
        return rows


def main() -> None:
    options = _options()
    options.slots = options.slots or max(options.clients)
    print(json.dumps(machine.description() | machine.noise()))
    rows = measure(options)
    print(table([asdict(row) for row in rows]))
    print(json.dumps(machine.noise()))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=list(CONFIGS), default="voxcpm2")
    parser.add_argument("--tiny", action="store_true", help="a toy of the model: a look, no figure")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--slots", type=int, default=0, help="by default as many as clients")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 16, 64])
    parser.add_argument("--takes", type=int, default=4, help="of each client")
    parser.add_argument("--patches", type=int, default=32)
    parser.add_argument("--graph-batches", nargs="*", type=int, default=[], help="by default all")
    parser.add_argument("--graph-timesteps", nargs="*", type=int, default=[])
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
