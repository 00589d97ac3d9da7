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
LANGUAGES = {
    "README.zh-Hans.md": "简体中文",
    "README.zh-Hant.md": "繁體中文",
    "README.ja.md": "日本語",
}
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


def code(text: str) -> list[str]:
    return re.findall(r"```.*?```", text, re.DOTALL)


def links(text: str) -> list[str]:
    return sorted(re.findall(r"\]\(((?!README)[^)]+)\)", text))


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_translated_readme_has_the_same_commands_headings_and_links(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert code(text) == code(README)
    assert links(text) == links(README)
    for mark in ("\n## ", "\n- **"):
        assert text.count(mark) == README.count(mark)


@pytest.mark.parametrize("name", ["README.md", *LANGUAGES])
def test_every_readme_leads_to_the_others(name):
    head = (ROOT / name).read_text(encoding="utf-8").split("\n## ")[0]
    for other, language in {"README.md": "English", **LANGUAGES}.items():
        assert (f"[{language}]({other})" in head) == (other != name)


def local_links():
    for document in [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                yield document, target


@pytest.mark.parametrize(("document", "target"), [*local_links()], ids=str)
def test_every_link_leads_somewhere(document, target):
    assert (document.parent / target).exists()
