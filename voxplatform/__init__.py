"""The project: wires the apps together and contains no business of its own."""

from __future__ import annotations

import re
from pathlib import Path


def _version() -> str:
    changelog = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
    heading = re.search(r"^## (\d+\.\d+\.\d+)", changelog.read_text(encoding="utf-8"), re.MULTILINE)
    assert heading, "CHANGELOG.md has no version heading"
    return heading.group(1)


__version__ = _version()
