"""The child lives exactly as long as its host wants it, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from speech.engine.hosts.process import ProcessHost
from speech.engine.hosts.protocol import Begin, pack
from speech.engine.types import EngineState, Utterance
from tests.engine.waiting import eventually

pytestmark = pytest.mark.slow

SOAK = os.environ.get("SOAK") == "1"
ROOT = Path(__file__).resolve().parents[2]

STARVED = """
import os, resource, sys
from speech.engine.errors import EngineUnavailable
from speech.engine.hosts.process import ProcessHost
from tests.engine.waiting import eventually
def descriptors():
    return len(os.listdir("/proc/self/fd"))
host = ProcessHost("tone")
before, (_, most) = descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (before + int(sys.argv[1]), most))
host.start()
assert host.pid is None, "It came up without descriptors."
eventually(lambda: host.stats().restarts >= 3)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
eventually(lambda: host.pid)
host.stop()
assert descriptors() == before, "Descriptors were lost."
"""

HOST = """
import sys, time
from speech.engine.faults import Faults
from speech.engine.hosts.process import ProcessHost
from speech.engine.types import Utterance
host = ProcessHost("tone")
host.start()
if sys.argv[1] == "hung":
    host.set_faults(Faults(hang_at=0))
    stream = host.submit(Utterance("Hang."))
    time.sleep(0.3)
print(host.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def children():
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()


@pytest.fixture
def host():
    host = ProcessHost("tone")
    host.start()
    yield host
    host.stop()


@pytest.mark.parametrize("state", ["quiet", "hung"])
def test_it_takes_the_child_along_when_the_host_is_killed(state):
    command = [sys.executable, "-c", HOST, state]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    eventually(lambda: not is_alive(pid), 5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ignores_signals_that_are_meant_for_the_host(host, number):
    pid = host.pid
    os.kill(pid, number)
    assert list(host.submit(Utterance("Still here.")))
    assert host.pid == pid
    assert os.getpgid(pid) != os.getpgid(0)


@pytest.mark.parametrize(
    "lives",
    [2, pytest.param(200 if SOAK else 50, marks=pytest.mark.timeout(600))],
)
def test_it_leaves_no_process_and_no_descriptor_behind(lives):
    host = ProcessHost("tone")
    host.start()
    host.stop()
    before = descriptors(), threading.active_count()
    for _ in range(lives):
        host.start()
        pid = host.pid
        host.stop()
        assert not Path(f"/proc/{pid}").exists()
    assert (descriptors(), threading.active_count()) == before


def test_it_leaves_no_descriptor_behind_when_children_die():
    host = ProcessHost("tone")
    host.start()
    before = descriptors()
    for deaths in range(1, 4):
        os.kill(host.pid, signal.SIGKILL)
        eventually(lambda deaths=deaths: host.stats().restarts == deaths and host.pid)
    assert descriptors() == before
    host.stop()


@pytest.mark.parametrize(
    "spare",
    [0, 2, 4, 6],
)
def test_it_goes_on_trying_where_no_process_can_be_started(spare):
    command = [sys.executable, "-c", STARVED, str(spare)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_it_can_be_stopped_while_it_waits_to_try_again():
    host = ProcessHost("tone", {"no_such_option": True})
    host.start()
    eventually(lambda: host.stats().restarts >= 1, 20)
    started = time.monotonic()
    host.stop()
    assert time.monotonic() - started < 2
    assert host.stats().state is EngineState.STOPPED


@pytest.fixture
def bare_child():
    """A child with nobody but us at the other end of its pair."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "speech.engine.hosts.child", str(theirs.fileno())]
    child = subprocess.Popen(
        command, cwd=ROOT, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL
    )
    theirs.close()
    yield ours, child
    ours.close()
    child.kill()
    child.wait()


@pytest.mark.parametrize(
    "nonsense",
    [b"GET / HTTP/1.1\r\n\r\n", struct.pack("<II", 8, 8) + b"nonsense", pack(Begin("tone", {}, 1))],
)
def test_it_is_the_child_that_dies_of_a_malformed_frame(bare_child, nonsense):
    ours, child = bare_child
    ours.sendall(pack(Begin("tone", {}, 0.25)) + nonsense)
    assert child.wait(10) != 0


def test_it_leaves_when_nobody_ever_says_anything(bare_child):
    ours, child = bare_child
    ours.close()
    assert child.wait(10) == 0


def test_it_imports_neither_django_nor_torch(host):
    probe = "import speech.engine.hosts.child, sys; print(*sys.modules)"
    command = [sys.executable, "-c", probe]
    modules = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"django", "torch", "rest_framework"} & set(modules.split())
