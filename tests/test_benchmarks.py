"""The benchmark runs: every section on a small scale, and its arithmetic on known numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.client import Frame, Recorder, Take, parse
from benchmarks.figures import Verdict, percentile
from benchmarks.playable import decoded_seconds, first_playable, is_short
from speech.audio import create_encoder
from speech.audio.pcm import silence

ROOT = Path(__file__).resolve().parent.parent


def run(tmp_path: Path, *arguments: str) -> dict:
    written = tmp_path / "figures.json"
    subprocess.run(
        [sys.executable, "benchmarks/server.py", "--quick", "--json", str(written), *arguments],
        cwd=ROOT,
        check=True,
        timeout=170,
    )
    return json.loads(written.read_text())


@pytest.mark.slow
def test_it_measures_streams_and_writes_what_it_measured(tmp_path: Path) -> None:
    figures = run(
        tmp_path, "--sections", "streams", "--formats", "pcm", "opus", "--clients", "1", "2"
    )
    rows = figures["streams"]
    assert [(row["response_format"], row["clients"]) for row in rows] == [
        ("pcm", 1),
        ("pcm", 2),
        ("opus", 1),
        ("opus", 2),
    ]
    for row in rows:
        assert row["short"] == 0
        assert 0 < row["ttfa_p50"] <= row["ttfa_p95"] < 5000
        assert 40 < row["gap_p50"] < 200
        assert row["cpu_ms_per_request"] > 0


@pytest.mark.slow
def test_it_measures_latency_small_answers_and_memory(tmp_path: Path) -> None:
    figures = run(tmp_path, "--sections", "latency", "listing", "held")
    assert figures["added"]["platform_p50"] > figures["added"]["bare_p50"] > 0
    assert set(figures["after_pcm"]) == {"mp3", "opus", "aac", "flac"}
    assert [row["path"] for row in figures["listings"]] == ["/v1/models", "/livez"]
    assert figures["reading_kb"] > 0
    assert figures["silent"]["count"] == 20
    assert {"subject", "measured", "reach", "passed"} <= set(figures["verdicts"][0])


def run_module(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments],
        cwd=ROOT,
        check=True,
        timeout=290,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_measures_voxcpm_through_http_beside_the_engine_itself(tmp_path: Path) -> None:
    written = tmp_path / "served.json"
    small = ["--tiny", "--threads", "1", "--clients", "1", "4", "--takes", "2", "--patches", "12"]
    run_module("served", *small, "--json", str(written))
    rows = json.loads(written.read_text())
    assert [(row["response_format"], row["clients"], row["takes"]) for row in rows] == [
        (name, clients, 2 * clients) for name in ("pcm", "opus", "mp3") for clients in (1, 4)
    ]
    for row in rows:
        assert row["broken"] == 0
        assert 0 < row["direct_p50"] <= row["direct_p95"]
        assert 0 < row["first_p50"] <= row["first_p95"]
        assert row["added_p50"] == pytest.approx(row["first_p50"] - row["direct_p50"])
        assert row["gap_p99"] > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_measures_what_a_voice_costs_and_whether_voices_differ(tmp_path: Path) -> None:
    written = tmp_path / "voices.json"
    run_module("voices", "--tiny", "--voices", "2", "--json", str(written))
    figures = json.loads(written.read_text())
    assert [(row["seconds"], row["encoded"]) for row in figures["second_use"]] == [
        (3, 1), (6, 1), (12, 1),
    ]  # fmt: skip
    assert set(figures["distinctness"]["within"]) == {"alloy", "ash"}
    assert len(figures["distinctness"]["between"]) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_measures_the_engine_beside_the_package_its_steps_and_its_listeners(
    tmp_path: Path,
) -> None:
    written = tmp_path / "engine.json"
    few = ["--step-count", "2", "--patches", "2", "--listeners", "4", "--takes", "1"]
    few += ["--prefill", "128x1"]
    told = run_module(
        "engine",
        *("--models", "tiny", "--dtype", "float32", "--threads", "1", "--voice"),
        *("--requests", "1", "--pairs", "1", "--steps", "1", "2", "--arrivals", "--lines"),
        *(*few, "--json", str(written)),
    )
    figures = json.loads(written.read_text())["tiny"]
    assert figures["pairs"]["1"]["ratio"] > 0
    assert 0 < figures["voice"]["cached"] < figures["voice"]["stock"]
    assert figures["steps"]["2"]["median"] > figures["steps"]["1"]["floor"] > 0
    assert set(figures["arrivals"]) == {"alone", "closed 128x1", "poisson 128x1"}
    assert "a step of 2: median" in told


@pytest.mark.parametrize("name", ["pcm", "wav", "flac", "opus", "mp3", "aac"])
def test_it_finds_the_chunk_with_which_audio_becomes_playable(name: str) -> None:
    encoder = create_encoder(name, 24_000)
    body = encoder.encode(silence(1.0, 24_000)) + encoder.flush()
    take = Take(10.0, 200, [Frame(10.1, body[:1]), Frame(10.5, body[1:])], complete=True)
    assert first_playable(take, name) == pytest.approx(0.5)
    assert decoded_seconds(body, name) >= 1
    assert not is_short(take, len(body))
    assert is_short(take, len(body) + 1)


def test_audio_that_never_becomes_playable_is_an_error() -> None:
    with pytest.raises(ValueError, match="mp3"):
        first_playable(Take(0.0, 200, [Frame(0.1, b"\xff")], complete=True), "mp3")


async def test_a_chunk_is_dated_when_its_last_byte_came() -> None:
    recorder = Recorder(b"")
    pieces = [b"HTTP/1.1 200 OK\r\n\r", b"\n3\r\nab", b"c\r\n2\r\nde\r\n", b"0\r\n\r\n"]
    recorder.arrivals = [Frame(float(at), piece) for at, piece in enumerate(pieces)]
    answer = parse(recorder)
    assert (answer.status, answer.frames) == (200, [Frame(2.0, b"abc"), Frame(2.0, b"de")])
    assert answer.complete
    assert answer.gaps == [0]
    recorder.arrivals.pop()
    assert not parse(recorder).complete


def test_percentiles_are_values_that_were_measured() -> None:
    values = list(range(1, 101))
    assert [percentile(values, percent) for percent in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert percentile([7], 99) == 7


def test_a_verdict_knows_which_side_is_good() -> None:
    assert Verdict("gap", 160, 160, "ms").passed
    assert not Verdict("gap", 161, 160, "ms").passed
    assert Verdict("rate", 150, 150, "a second", at_least=True).passed
    assert str(Verdict("rate", 149, 150, "a second", at_least=True)).startswith("FAIL  rate: 149")
