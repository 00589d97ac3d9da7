"""`make run` as a person types it: in a fresh copy, with what it prints pasted into a shell."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

ROOT = Path(__file__).resolve().parent.parent
# The environment is this one: test_install.py shows how it is made.
VENV = Path(sys.prefix)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is, or could be, committed: no data, no environment."""
    checkout = tmp_path_factory.mktemp("run") / "voxplatform"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in names.stdout.splitlines():
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    return checkout


@pytest.fixture(scope="module")
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(checkout: Path, port: int) -> Iterator[tuple[str, float]]:
    """`make run` until it is ready: what it printed, and the seconds that took; then Ctrl-C."""
    own = {"PORT", "HOST", "DATA_DIR", "SITE_URL", "DATABASE_URL", "MAKEFLAGS", "MAKELEVEL"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    started = time.monotonic()
    make = subprocess.Popen(
        ["make", "run", f"VENV={VENV}", f"PORT={port}"],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed = ""
    try:
        assert make.stdout is not None
        while "VoxPlatform is ready" not in printed:
            line = make.stdout.readline()
            assert line, f"make run ended early:\n{printed}"
            printed += line
        yield printed, time.monotonic() - started
    finally:
        os.killpg(make.pid, signal.SIGINT)
        rest, _ = make.communicate(timeout=60)
    assert "Traceback" not in rest


def paste(lines: str, folder: Path, program: list[str]) -> None:
    answer = subprocess.run(
        program, input=lines, cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr


def seconds_of(file: Path) -> float:
    with av.open(str(file)) as audio:
        return sum(frame.samples / frame.sample_rate for frame in audio.decode(audio=0))


@pytest.fixture(scope="module")
def first_run(checkout: Path, port: int) -> str:
    """What the first run printed, after its lines were pasted."""
    with running(checkout, port) as (printed, _):
        [curl] = [line for line in printed.splitlines() if line.startswith("curl ")]
        snippet = "from openai" + printed.partition("\nfrom openai")[2].partition("\n\n")[0]
        paste(curl, checkout, ["sh"])
        paste(snippet, checkout, [sys.executable, "-"])
    return printed


def test_it_prints_a_curl_line_that_speaks(first_run: str, checkout: Path) -> None:
    assert seconds_of(checkout / "hello.mp3") > 0.8


def test_it_prints_a_python_snippet_that_speaks(first_run: str, checkout: Path) -> None:
    assert seconds_of(checkout / "hello-from-python.mp3") > 0.8


def test_it_keeps_all_its_state_in_the_data_directory(first_run: str, checkout: Path) -> None:
    made = subprocess.run(
        ["find", ".", "-newer", "data/secrets", "-type", "f"],
        cwd=checkout,
        capture_output=True,
        text=True,
    ).stdout.split()
    elsewhere = [
        name
        for name in made
        if not name.startswith("./data/") and "__pycache__" not in name and "hello" not in name
    ]
    assert elsewhere == []


def seconds_until_readyz(checkout: Path, port: int) -> float:
    started = time.monotonic()
    environment = os.environ | {"PORT": str(port)}
    asking = [sys.executable, "scripts/ready.py"]
    while subprocess.run(asking, cwd=checkout, env=environment, capture_output=True).returncode:
        assert time.monotonic() - started < 30, "/readyz stays red"
    return time.monotonic() - started


def test_it_recreates_nothing_and_is_ready_within_five_seconds(
    first_run: str, checkout: Path, port: int
) -> None:
    waits = []
    for _ in range(3):
        with running(checkout, port) as (printed, seconds):
            waits.append(seconds + seconds_until_readyz(checkout, port))
            assert "vox_" not in printed and "Password" not in printed

    # The shortest of three: the machine may be busy with something else.
    assert min(waits) < 5, f"ready after {waits} seconds"


def test_a_second_server_finds_the_port_taken(first_run: str, checkout: Path, port: int) -> None:
    with running(checkout, port):
        answer = subprocess.run(
            ["make", "run", f"VENV={VENV}", f"PORT={port}"],
            cwd=checkout,
            capture_output=True,
            text=True,
        )

    assert answer.returncode != 0
    assert answer.stderr.startswith(f"The server cannot listen on 127.0.0.1 port {port}")
