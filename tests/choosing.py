"""Which tests run, in which order, and what one test process takes as a whole.

Knows what services tests may need and whether they are here; ``tests/conftest.py`` lends its hooks
to pytest.
"""

from __future__ import annotations

import os
import shutil
import socket
from urllib.parse import urlsplit

import pytest
from xdist.scheduler import LoadFileScheduling

POSTGRES = os.environ.get("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def _answers(url: str) -> bool:
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port), timeout=1).close()
    except OSError:
        return False
    return True


# Marker -> what it needs, and whether that is here.
SERVICES = {
    "postgres": ("PostgreSQL", lambda: _answers(POSTGRES)),
    "redis": ("Redis", lambda: _answers(REDIS)),
    "browser": ("Chromium", lambda: CHROMIUM is not None),
}
MISSING: dict[str, int] = {}
# Folders of tests, those that wait for servers first: the others fill the gaps at the end.
ORDER = (
    "contract",
    "faults",
    "voxcpm",
    "engine",
    "hub",
    "speech",
    "server",
    "browser",
    "tests",
    "text",
    "admin",
)


class Shares(LoadFileScheduling):
    """What one test process takes as a whole: a file, or all that share the contract's servers."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "contract" if file.startswith("tests/contract/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Shares(config, log)


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(ORDER)))
    run_slow = os.environ.get("SLOW") == "1"
    must_have = os.environ.get("REQUIRE_SERVICES") == "1"
    absent = {
        marker: service
        for marker, (service, is_here) in SERVICES.items()
        if any(item.get_closest_marker(marker) for item in items) and not is_here()
    }
    for item in items:
        if item.get_closest_marker("slow") and not run_slow:
            item.add_marker(pytest.mark.skip(reason="slow: runs with SLOW=1"))
        for marker, service in absent.items():
            if item.get_closest_marker(marker) and not must_have:
                MISSING[service] = MISSING.get(service, 0) + 1
                item.add_marker(pytest.mark.skip(reason=f"needs {service}"))


def pytest_runtest_setup(item):
    for marker, (service, is_here) in SERVICES.items():
        if item.get_closest_marker(marker) and not is_here():
            pytest.fail(f"REQUIRE_SERVICES=1, but there is no {service}", pytrace=False)


def pytest_terminal_summary(terminalreporter):
    for service, count in MISSING.items():
        terminalreporter.write_line(
            f"NOT TESTED: {count} tests were skipped, because there is no {service} here.",
            red=True,
            bold=True,
        )
