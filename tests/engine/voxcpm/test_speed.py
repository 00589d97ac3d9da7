"""The engine is faster than the official package, on the same weights in the same process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

HAS_BFLOAT16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
# Well below what benchmarks/README.md says was measured: shared machines are not quiet, and alone
# both sides wait for the same memory. A processor without products of bfloat16 makes up for them
# so slowly that a batch gains little; there both sides speak in float32, and for a shorter time.
DTYPE, PAIRS, PATCHES, AT_LEAST, CACHED_AT_MOST = (
    ("bfloat16", "3", "8", {"1": 1.1, "4": 3.0, "8": 4.0}, 0.2)
    if HAS_BFLOAT16
    else ("float32", "1", "4", {"1": 1.1, "4": 1.8, "8": 2.5}, 0.4)
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_is_faster_than_the_package_alone_and_more_so_in_company(tmp_path):
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.engine", "--dtype", DTYPE]
    command += ["--pairs", PAIRS, "--patches", PATCHES, "--voice", "--json", str(report)]
    subprocess.run(command, check=True, timeout=850)
    measured = json.loads(report.read_text())["voxcpm-0.5b"]
    ratios = {requests: pair["ratio"] for requests, pair in measured["pairs"].items()}
    assert all(ratios[requests] >= least for requests, least in AT_LEAST.items()), ratios
    assert measured["voice"]["cached"] <= CACHED_AT_MOST * measured["voice"]["stock"]
