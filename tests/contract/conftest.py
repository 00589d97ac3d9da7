"""One live server for all tests of the contract, keys of every kind, and the official SDKs."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack

import pytest

from tests.contract.sdks import Sdk
from tests.live import LiveServer, manage

# Twenty times real time: short texts take no time, and long ones last long enough to be watched.
PACE = json.dumps({"speed": 20})
PAGE = "https://notes.example.com"


@pytest.fixture(scope="package")
def data_dir(migrated_dir, tmp_path_factory):
    return shutil.copytree(migrated_dir, tmp_path_factory.mktemp("contract") / "data")


@pytest.fixture(scope="package")
def server(data_dir):
    with LiveServer(data_dir, {"ENGINE_CONFIG": PACE, "MCP_LINK_BYTES": "15000000"}) as server:
        yield server


@pytest.fixture(scope="package")
def closed_server(data_dir, keys):
    """A second server on the same data, which lists nothing for strangers and knows one page."""
    with LiveServer(data_dir, {"ANONYMOUS_LISTING": "0", "CORS_ORIGINS": PAGE}) as server:
        yield server


@pytest.fixture(scope="package")
def voice_server(data_dir):
    """A third on the same data, whose engine clones and designs voices, which are no speech."""
    config = json.dumps({"speed": 100, "also": ["clone", "design"]})
    environment = {"ENGINE_CONFIG": config, "VOICE_CHECKS": "report", "QUEUE_SECONDS": "10"}
    with LiveServer(data_dir, environment) as server:
        yield server


@pytest.fixture(scope="package")
def issued(data_dir):
    script = "from tests.contract.issue_keys import main; main()"
    return json.loads(manage(data_dir, "shell", "-c", script).splitlines()[-1])


@pytest.fixture(scope="package")
def keys(issued):
    """The texts of keys, by what is special about them."""
    return issued["keys"]


@pytest.fixture
def browse(server, issued):
    """A browser in which somebody is signed in: "dora", "clerk" or "admin"."""
    with ExitStack() as browsers:

        def browse(name, token="t" * 32):
            browser = browsers.enter_context(server.http())
            browser.cookies.update({"sessionid": issued["sessions"][name], "csrftoken": "t" * 32})
            browser.headers["x-csrftoken"] = token
            return browser

        yield browse


@pytest.fixture(scope="package")
def live_key(keys):
    return keys["every scope"]


@pytest.fixture(
    scope="package",
    params=[
        "python",
        pytest.param("node", marks=pytest.mark.slow),
        pytest.param("python-async", marks=pytest.mark.slow),
        pytest.param("python-1", marks=pytest.mark.slow),
    ],
)
def sdk(request):
    with Sdk(request.param) as sdk:
        yield sdk


@pytest.fixture
def faults(server):
    """Turns the engine's faults on; off again when the test is over."""
    yield server.set_faults
    server.set_faults()
