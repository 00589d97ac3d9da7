"""What the kernel says of this machine and of processes: CPU, memory, load, steal."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
KB = 1024


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that these processes have had."""
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / TICKS


def resident(pids: list[int]) -> int:
    """Bytes of memory that these processes have in RAM."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def with_children(pid: int) -> list[int]:
    """A process and those it started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [pid, *(int(child) for task in tasks for child in task.read_text().split())]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name, which may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def noise() -> dict[str, float]:
    """What else the machine does: load of the last minute, seconds stolen by its host so far."""
    stolen = int(Path("/proc/stat").read_text().split("\n")[0].split()[8]) / TICKS
    return {"load": round(os.getloadavg()[0], 2), "steal_seconds": round(stolen, 1)}


def description() -> dict[str, str]:
    """Hardware and versions that the figures belong to."""
    packages = ("django", "djangorestframework", "daphne", "twisted", "numpy", "av")
    return {
        "cpu": f"{len(os.sched_getaffinity(0))} × {_cpu_model()}",
        "system": platform.platform(),
        "python": sys.version.split()[0],
        **{package: version(package) for package in packages},
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
