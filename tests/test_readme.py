"""The README's examples, run as they stand, against a live server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import av
import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"


def example(language: str, word: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(block for block in blocks if word in block)


def seconds(file: Path) -> float:
    with av.open(str(file)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_the_curl_line_speaks(server, live_key, tmp_path):
    line = example("sh", "curl").replace(ADDRESS, server.url)
    environment = {**os.environ, "VOX_KEY": live_key}
    subprocess.run(
        ["sh", "-ec", line], cwd=tmp_path, env=environment, check=True, capture_output=True
    )
    assert seconds(tmp_path / "hello.mp3") > 1


def test_the_python_example_speaks(server, live_key, tmp_path):
    code = f"VOX_KEY = {live_key!r}\n" + example("python", "OpenAI").replace(ADDRESS, server.url)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert seconds(tmp_path / "hello.wav") > 1


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_the_two_commands_are_there(command):
    target = command.split()[1]
    assert command in README
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def local_links():
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                yield document, target


@pytest.mark.parametrize(("document", "target"), [*local_links()], ids=str)
def test_every_link_leads_somewhere(document, target):
    assert (document.parent / target).exists()
