"""The engine is faster than the official package, on the same weights in the same process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch


@dataclass(frozen=True)
class Demand:
    """What the engine must reach: stock's time over its own by requests at once, and the share of
    stock's first audio that a cached voice may take."""

    dtype: str
    pairs: int
    patches: int
    ratios: dict[str, float]
    cached: float


def demand() -> Demand:
    """By what the processor can. A little less than benchmarks/README.md says was measured, for
    shared machines are not quiet."""
    if torch.cpu._is_amx_tile_supported():
        # Both sides wait for the memory of the same weights there, so alone little is gained.
        return Demand("bfloat16", 3, 8, {"1": 1.1, "4": 3.0, "8": 4.0}, 0.2)
    if torch.cpu._is_avx512_bf16_supported():
        return Demand("bfloat16", 2, 6, {"1": 1.8, "4": 4.0, "8": 5.0}, 0.12)
    # It makes up for products of bfloat16 so slowly that a batch gains little.
    return Demand("float32", 1, 4, {"1": 1.1, "4": 1.8, "8": 2.5}, 0.4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_is_faster_than_the_package_alone_and_more_so_in_company(tmp_path):
    report, asked = tmp_path / "report.json", demand()
    # Both sides keep every core busy: beside other tests they would measure who waits longer.
    command = ["nice", "-n", "-19", sys.executable, "-m", "benchmarks.engine"]
    command += ["--dtype", asked.dtype, "--pairs", str(asked.pairs), "--voice"]
    command += ["--patches", str(asked.patches), "--json", str(report)]
    subprocess.run(command, check=True, timeout=850)
    measured = json.loads(report.read_text())["voxcpm-0.5b"]
    ratios = {requests: pair["ratio"] for requests, pair in measured["pairs"].items()}
    assert all(ratios[requests] >= least for requests, least in asked.ratios.items()), ratios
    assert measured["voice"]["cached"] <= asked.cached * measured["voice"]["stock"]
