"""A hub on this machine that holds the three models, and a place to fetch them into."""

from __future__ import annotations

import pytest

from tests.engine.voxcpm.files import write_checkpoint
from tests.hub.server import HubServer

NAMES = {
    "voxcpm2": "openbmb/VoxCPM2",
    "voxcpm1.5": "openbmb/VoxCPM1.5",
    "voxcpm-0.5b": "openbmb/VoxCPM-0.5B",
}


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The directories that the hub holds; about a megabyte of weights in each."""
    root = tmp_path_factory.mktemp("hub")
    for name in NAMES:
        directory = write_checkpoint(root / name, name, padding=60_000)
        (directory / ".gitattributes").write_text("*.bin filter=lfs\n")
        (directory / "README.md").write_text(f"# {name}\n")
        (directory / "tokenization.py").write_text("raise SystemExit('code of a hub is never run')")
    return root


@pytest.fixture
def hub_server(published):
    with HubServer() as server:
        for name, model in NAMES.items():
            server.models[model] = published / name
            server.models[model.replace("openbmb", "OpenBMB")] = published / name
        yield server


@pytest.fixture
def models_dir(tmp_path):
    return tmp_path / "models"
