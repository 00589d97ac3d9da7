"""What tests of several processes share."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])]
)
def environment(request, migrated_dir, tmp_path):
    """A database that no other test sees, on either server."""
    data_dir = shutil.copytree(migrated_dir, tmp_path / "data")
    environment = {**os.environ, "DATA_DIR": str(data_dir)}
    if request.param == "postgres":
        environment["DATABASE_URL"] = request.getfixturevalue("postgres_url")
        environment["SECRET_KEY"] = environment["KEY_PEPPER"] = "a secret of a test " * 4
    return environment
