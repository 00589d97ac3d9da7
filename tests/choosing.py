"""Which tests run, in which order, and what one test process takes as a whole.

Knows what services tests may need and whether they are here; ``tests/conftest.py`` lends its hooks
to pytest.
"""

from __future__ import annotations

import gc
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
# Folders of tests, large shares and those that wait for servers first: the others fill the gaps
# at the end.
ORDER = (
    "contract",
    "browser",
    "voxcpm",
    "faults",
    "engine",
    "hub",
    "speech",
    "server",
    "tests",
    "text",
    "admin",
)
# Whose files need the same costly things: one process takes all of their fast tests.
TOGETHER = ("voxcpm",)
RUN_SLOW = os.environ.get("SLOW") == "1"
# Their slow tests measure, or take all of the memory: nothing else runs beside them.
ALONE = (
    "tests/engine/voxcpm/test_full_size.py",
    "tests/engine/voxcpm/test_full_size_equals_stock.py",
    "tests/engine/voxcpm/test_speed.py",
    "tests/faults/test_slow_readers.py",
    "tests/test_benchmarks.py",
    "tests/test_run.py",
)


class Shares(LoadFileScheduling):
    """What one test process takes as a whole: a file, or all that share the contract's servers
    (VoxCPM's have servers of their own), or fast tests that share what is costly.

    Files that want the machine for themselves are one share more, handed to the last process when
    all others have ended.
    """

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        if file in ALONE and RUN_SLOW:
            return "alone"
        if file.startswith("tests/contract/") and "voxcpm" not in file:
            return "contract"
        return file if RUN_SLOW else next((one for one in TOGETHER if one in file), file)

    def _assign_work_unit(self, node):
        if set(self.workqueue) != {"alone"}:
            if "alone" in self.workqueue:
                self.workqueue.move_to_end("alone")
            super()._assign_work_unit(node)
        elif len(self.nodes) == 1:
            super()._assign_work_unit(node)
        elif not all(other.shutting_down for other in self.nodes if other is not node):
            node.shutdown()

    def remove_node(self, node):
        # Of a process that died only what it has not done is handed out again.
        mine = self.assigned_work[node]
        for scope in [scope for scope, tests in mine.items() if all(tests.values())]:
            del mine[scope]
        crashed = super().remove_node(node)
        if self.workqueue:
            for other in self.nodes:
                self._reschedule(other)
        return crashed


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Shares(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is imported to be tested stays: looking it over for garbage, again and again, would take
    a quarter of the time that it takes to find the tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(ORDER)))
    must_have = os.environ.get("REQUIRE_SERVICES") == "1"
    absent = {
        marker: service
        for marker, (service, is_here) in SERVICES.items()
        if any(item.get_closest_marker(marker) for item in items) and not is_here()
    }
    for item in items:
        if item.get_closest_marker("slow") and not RUN_SLOW:
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
