"""Installs lists of requirements into the virtual environment, once, and goes on when interrupted.

Runs on a bare Python: standard library only. Each list leaves a stamp that names what was
installed and is written last, so that an install cut short is taken up again: pip skips what is
in place, and keeps in its cache what it fetched.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
GB = 10**9
# Installed one by one before the rest, so that they need not be fetched again where pip's cache is
# off or its downloads may not be kept: with what they bring they are most of what is fetched.
LARGE = ("torch==", "voxcpm==")
# Fetched, and free on the disk: the environment, pip's cache and its temporary copies together.
# Measured on Linux with Python 3.11; CUDA's libraries are most of the larger pair.
CPU_SIZES = (0.8, 4.5)
CUDA_SIZES = (3.4, 12.0)


def stamp_of(venv: Path, requirements: Path) -> tuple[Path, str]:
    """Where the list's stamp lies and what it must say: the lists, the versions, the Python."""
    digest = hashlib.sha256()
    for file in (requirements, CONSTRAINTS, venv / "pyvenv.cfg"):
        digest.update(file.read_bytes() if file.exists() else b"")
    return venv / f"{requirements.stem}.installed", digest.hexdigest()


def is_installed(venv: Path, requirements: Path) -> bool:
    stamp, expected = stamp_of(venv, requirements)
    return (venv / "bin/python").exists() and stamp.exists() and stamp.read_text() == expected


def make_venv(venv: Path) -> None:
    """A new environment, unless the one in place has a Python that runs and a pip."""
    pip = [str(venv / "bin/python"), "-m", "pip", "--version"]
    if (venv / "bin/python").exists() and subprocess.run(pip, capture_output=True).returncode == 0:
        return
    # Only what is a virtual environment is cleared: VENV might name a folder of someone's own.
    clear = ["--clear"] if (venv / "pyvenv.cfg").exists() else []
    subprocess.run([sys.executable, "-m", "venv", *clear, str(venv)], check=True)


def forget_half_installed(venv: Path) -> None:
    """pip counts a package as installed once its metadata is there; INSTALLER is written last."""
    for metadata in venv.glob("lib/python*/site-packages/*.dist-info"):
        if not (metadata / "INSTALLER").exists():
            shutil.rmtree(metadata)


def sizes(venv: Path) -> tuple[float, float]:
    """GB to fetch and GB to have free, by the PyTorch build that pip would take."""
    [version] = re.findall(r"^torch==(\S+)", CONSTRAINTS.read_text(), re.MULTILINE)
    listing = subprocess.run(
        [str(venv / "bin/python"), "-m", "pip", "index", "versions", "torch"],
        capture_output=True,
        text=True,
    )
    for_cpu = sys.platform == "darwin" or f"{version}+cpu" in listing.stdout
    return CPU_SIZES if for_cpu else CUDA_SIZES


def check_disk(venv: Path) -> None:
    fetched, needed = sizes(venv)
    present = sum(path.lstat().st_size for path in venv.rglob("*")) / GB
    needed = max(needed - present, 0.5)
    free = shutil.disk_usage(venv).free / GB
    print(
        f"Installing into {venv}: up to {fetched:.1f} GB to fetch, {needed:.1f} GB must be free "
        f"there, {free:.1f} GB are.",
        flush=True,
    )
    if free < needed:
        sys.exit(
            f"The disk of {venv} has {free:.1f} GB free and {needed:.1f} GB are needed: "
            "make room, or name a folder on another disk, as in make run VENV=/srv/venv"
        )


def install(venv: Path, lists: list[Path]) -> None:
    make_venv(venv)
    check_disk(venv)
    forget_half_installed(venv)
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check"]
    lines = [line for each in lists for line in each.read_text().splitlines()]
    stages = [[line] for name in LARGE for line in lines if line.startswith(name)]
    stages.append([argument for each in lists for argument in ("-r", str(each))])
    for stage in stages:
        subprocess.run([*pip, *stage, "-c", str(CONSTRAINTS)], check=True)
    for each in lists:
        stamp, content = stamp_of(venv, each)
        stamp.write_text(content)


def main() -> None:
    venv = Path(os.environ.get("VENV", ".venv"))
    lists = [ROOT / name for name in sys.argv[1:]]
    if all(is_installed(venv, each) for each in lists):
        return
    try:
        install(venv, lists)
    except (subprocess.CalledProcessError, KeyboardInterrupt):
        sys.exit("The installation stopped early: run the same command to go on from there.")


if __name__ == "__main__":
    main()
