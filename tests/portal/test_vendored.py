"""What comes from others is what was taken from them, byte for byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = [ROOT / "portal/static/portal/vendor", ROOT / "tests/browser/vendor"]
NOTES = {"README.md", "LICENSE"}


@pytest.mark.parametrize("place", PLACES, ids=["served", "tests"])
def test_every_file_is_listed_with_its_hash(place):
    listed = dict(
        re.findall(r"^\| `(\S+)` .* `([0-9a-f]{64})` \|$", (place / "README.md").read_text(), re.M)
    )
    there = {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*")
        if path.is_file() and path.name not in NOTES
    }
    assert listed == there


@pytest.mark.parametrize("place", PLACES, ids=["served", "tests"])
def test_every_package_has_its_licence_beside_it(place):
    for directory in place.iterdir():
        if directory.is_dir():
            assert (directory / "LICENSE").read_text().strip()
