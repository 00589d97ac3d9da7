"""One live server for all tests of the contract, keys of every kind, and the official SDKs."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.contract.sdks import COMMANDS, Sdk
from tests.live import LiveServer, manage

# Twenty times real time: short texts take no time, and long ones last long enough to be watched.
PACE = json.dumps({"speed": 20})


@pytest.fixture(scope="package")
def data_dir(migrated_dir, tmp_path_factory):
    return shutil.copytree(migrated_dir, tmp_path_factory.mktemp("contract") / "data")


@pytest.fixture(scope="package")
def server(data_dir):
    with LiveServer(data_dir, {"ENGINE_CONFIG": PACE}) as server:
        yield server


@pytest.fixture(scope="package")
def keys(data_dir):
    """The texts of keys, by what is special about them."""
    script = "from tests.contract.issue_keys import main; main()"
    return json.loads(manage(data_dir, "shell", "-c", script).splitlines()[-1])


@pytest.fixture(scope="package")
def live_key(keys):
    return keys["every scope"]


@pytest.fixture(scope="package", params=COMMANDS)
def sdk(request):
    with Sdk(request.param) as sdk:
        yield sdk


@pytest.fixture
def faults(server):
    """Turns the engine's faults on; off again when the test is over."""
    yield server.set_faults
    server.set_faults()
