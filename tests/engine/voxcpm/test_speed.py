"""The engine is faster than the official package, on the same weights in the same process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Well below what benchmarks/README.md says was measured: shared machines are not quiet, and alone
# both sides wait for the same memory.
AT_LEAST = {"1": 1.1, "4": 3.0, "8": 4.0}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_is_faster_than_the_package_alone_and_more_so_in_company(tmp_path):
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.engine", "--pairs", "3", "--patches", "8"]
    subprocess.run([*command, "--voice", "--json", str(report)], check=True, timeout=850)
    measured = json.loads(report.read_text())["voxcpm-0.5b"]
    ratios = {requests: pair["ratio"] for requests, pair in measured["pairs"].items()}
    assert all(ratios[requests] >= least for requests, least in AT_LEAST.items()), ratios
    assert measured["voice"]["cached"] <= 0.2 * measured["voice"]["stock"]
