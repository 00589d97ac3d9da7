"""A real server for tests: `manage.py serve` in a process of its own, on a free port, with a data
directory of its own. What it answers is what clients get."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import openai

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def manage(data_dir: Path, *arguments: str, timeout: float = 60, **environment: str) -> str:
    """Run a management command on ``data_dir`` and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=child_environment(data_dir, **environment),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def child_environment(data_dir: Path, **environment: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **environment}


@dataclass
class LiveServer:
    """Use it in a ``with`` block; ``log`` holds what it wrote, also after its end."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    ready_status: int = 200
    start_seconds: float = START_SECONDS
    before: tuple[str, ...] = ()
    """What runs it: a command that becomes it."""

    def __enter__(self) -> LiveServer:
        self.log_file = self.data_dir / f"server-{self.port}.log"
        self.faults_file = self.data_dir / f"faults-{self.port}.json"
        environment = {"SPEECH_ENGINE": "tone", "PORT": str(self.port), **self.environment}
        arguments = ["--faults", str(self.faults_file)]
        if environment["SPEECH_ENGINE"] != "tone":
            arguments = []
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, "manage.py", "serve", *arguments],
                cwd=ROOT,
                env=child_environment(self.data_dir, **environment),
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()  # nobody else will: the block is never entered
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            time.sleep(0.05)
            if not self._listens():
                continue  # a cheaper question than the next
            try:
                if self.get("/readyz").status_code == self.ready_status:
                    return
            except httpx.TransportError:
                pass
        raise AssertionError(f"The server did not get ready:\n{self.log}")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def set_faults(self, **switches: object) -> None:
        """Turn the tone engine's switches (see speech/engine/faults.py); none turns all off."""
        written = self.faults_file.with_suffix(".new")
        written.write_text(json.dumps(switches))
        written.rename(self.faults_file)
        deadline = time.monotonic() + 10
        while self.faults_file.exists():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)

    def http(self, key: str | None = None, **options: object) -> httpx.Client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        # There is no TLS here, and reading the authorities takes longer than an answer does.
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=False, **options)

    def get(self, path: str, key: str | None = None) -> httpx.Response:
        with self.http(key) as http:
            return http.get(path)

    def openai(self, key: str, **options: object) -> openai.OpenAI:
        options.setdefault("max_retries", 0)
        return openai.OpenAI(api_key=key, base_url=f"{self.url}/v1", **options)
